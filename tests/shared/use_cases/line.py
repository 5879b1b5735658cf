"""A line for speaking: frames of the caller flow with the carrier's time on them, and workers may die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from shared.domain import pipe_names
from shared.ports.media_codec import DecodedFrame
from shared.use_cases.speak import Speak
from tests.fakes.call import CALL_ID, FRAME_MS, House, turn_request
from tests.fakes.models import FakeTextToSpeech


class TimedDecoder:
    """Fills the port `FrameDecoder` for frames that consist of their time."""

    def decode(self, payload: bytes) -> DecodedFrame:
        return DecodedFrame(b"", int(payload))


def speaker(house: House, tts: FakeTextToSpeech) -> Speak:
    return Speak(
        pipes=house.pipes,
        live_calls=house.live_calls,
        directory=house.directory,
        text_to_speech=tts,
        channels=house.channels,
        decoder_of=lambda live, from_ms: TimedDecoder(),
        files=house.files,
        clock=house.clock,
    )


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[House]:
    """A running call whose caller sends frames all the time."""
    house = House(**options)
    await house.connect()
    flowing = asyncio.create_task(_frames(house))
    try:
        yield house
    finally:
        flowing.cancel()
        await asyncio.gather(flowing, return_exceptions=True)
        await house.channel.finish()


async def _frames(house: House) -> None:
    began_ms = house.clock.now_ms()
    while True:
        await house.clock.sleep_ms(FRAME_MS)
        stream_ms = int(house.clock.now_ms() - began_ms)
        if not house.pipes.down:
            await house.pipes.append_frame(CALL_ID, "connection-1", str(stream_ms), str(stream_ms).encode())


async def interrupt(house: House, turn: int) -> None:
    stop = {"event": "stop", "at_ms": repr(house.clock.now_ms())}
    await house.write(turn, pipe_names.CONTROL, stop, "1-0")


class Died(BaseException):
    """The worker is gone: nothing may catch it and go on."""


class Mortal:
    """Makes the worker die at its `at`th operation, before or after it takes effect.

    Operations are writes to pipes and journals, sends to the line and files.
    """

    def __init__(self, house: House, at: int, *, after: bool) -> None:
        self.house = house
        self.at, self.after = at, after
        self.done: list[str] = []
        self._honest: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Mortal:
        for owner, name in (
            (self.house.pipes, "append"),
            (self.house.live_calls, "note"),
            (self.house.live_calls, "note_once"),
            (self.house.channel, "play"),
            (self.house.channel, "clear"),
            (self.house.files, "put"),
        ):
            honest = getattr(owner, name)
            self._honest.append((owner, name, honest))
            setattr(owner, name, self._mortal(name, honest))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, honest in self._honest:
            setattr(owner, name, honest)

    def _mortal(self, name: str, honest: Callable[..., Any]) -> Callable[..., Any]:
        async def operation(*arguments: Any, **options: Any) -> Any:
            current = asyncio.current_task()
            if current is None or not self._is_worker(name, arguments):
                return await honest(*arguments, **options)
            number = len(self.done)
            self.done.append(f"{name} {arguments[0]}" if name in ("append", "put") else name)
            if number >= self.at and not self.after:
                raise Died
            result = await honest(*arguments, **options)
            if number >= self.at:
                raise Died
            return result

        return operation

    @staticmethod
    def _is_worker(name: str, arguments: tuple[Any, ...]) -> bool:
        """Frames, marks and the caller's own doing go on while a worker dies."""
        return name != "append" or not str(arguments[0]).endswith((":frames", ":events", ":control"))


async def speak_and_die(house: House, tts: FakeTextToSpeech, turn: int, mortal: Mortal) -> bool:
    """Run the step until the worker dies; False if it did not."""
    with mortal:
        task = asyncio.create_task(_survive(speaker(house, tts), turn))
        return await task


async def _survive(speak: Speak, turn: int) -> bool:
    try:
        await speak(turn_request(turn))
    except Died:
        return True
    return False
