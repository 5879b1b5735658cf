"""A line for speaking: frames of the caller flow with the carrier's time on them, and workers may die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.domain import interruption, pipe_names, takes
from shared.domain.call import Agent
from shared.ports.media_codec import DecodedFrame
from shared.use_cases.providers.prepared_sounds import PreparedSound
from shared.use_cases.speaking.speak import Speak
from tests.fakes.call import CALL_ID, House, turn_request, voice
from tests.fakes.clock import FakeClock
from tests.fakes.models import FakeTextToSpeech

FILLER = PreparedSound("One moment.", voice(600, level=3000))
APOLOGY = PreparedSound("I am sorry.", voice(1000, level=5000))


_LONGEST_MS = 200_000
_EVERY_MS = 60


class TimedDecoder:
    """Fills the port `FrameDecoder` for frames that consist of their time."""

    def decode(self, payload: bytes) -> DecodedFrame:
        return DecodedFrame(b"", int(payload))


@dataclass
class FakePrepared:
    """Fillers and an apology, each `delay_ms` after it was asked for."""

    clock: FakeClock
    fillers: list[PreparedSound | None] = field(default_factory=lambda: [FILLER] * 10)
    delay_ms: float = 2.0
    prepared: list[Agent] = field(default_factory=list)

    def prepare(self, agent: Agent) -> None:
        self.prepared.append(agent)

    async def filler(self, agent: Agent, call_id: str) -> PreparedSound | None:
        await self.clock.sleep_ms(self.delay_ms)
        return self.fillers.pop(0)

    async def apology(self, agent: Agent) -> PreparedSound:
        await self.clock.sleep_ms(self.delay_ms)
        return APOLOGY


def speaker(house: House, tts: FakeTextToSpeech, prepared: FakePrepared | None = None) -> Speak:
    return Speak(
        pipes=house.pipes,
        live_calls=house.live_calls,
        directory=house.directory,
        text_to_speech=tts,
        channels=house.channels,
        decoder_of=lambda live, from_ms: TimedDecoder(),
        files=house.files,
        clock=house.clock,
        prepared=prepared or FakePrepared(house.clock),
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
    """They end after some minutes, so that a test that waits for ever is found out."""
    began_ms = house.clock.now_ms()
    while house.clock.now_ms() - began_ms < _LONGEST_MS:
        await house.clock.sleep_ms(_EVERY_MS)
        stream_ms = int(house.clock.now_ms() - began_ms)
        if not house.pipes.down:
            await house.pipes.append_frame(CALL_ID, "connection-1", str(stream_ms), str(stream_ms).encode())


# what thinking and listening write


async def sentences(
    house: House, turn: int, *texts: str, take: int = 1, after: int = 0, outcome: str | None = ""
) -> None:
    """Sentences of a take from the one `after` these, and its end unless the outcome is None."""
    for number, text in enumerate(texts, start=after + 1):
        await house.write(turn, pipe_names.SENTENCES, {"text": text}, takes.sentence_position(take, number))
    if outcome is not None:
        end = {"event": "answer_end", "outcome": outcome}
        await house.write(turn, pipe_names.SENTENCES, end, takes.answer_end_position(take))


async def take(house: House, turn: int, event: takes.TakeEvent) -> None:
    position, fields = takes.written(event)
    await house.write(turn, pipe_names.TRANSCRIPT, fields, position)


async def answer(house: House, turn: int, *texts: str, outcome: str = "") -> None:
    """A final take with its whole answer."""
    await take(house, turn, takes.Final(1, "?"))
    await sentences(house, turn, *texts, outcome=outcome)


async def order(house: House, turn: int, given: interruption.Order) -> None:
    position, fields = interruption.written(given)
    await house.write(turn, pipe_names.CONTROL, fields, position)


async def hold(house: House, turn: int, number: int = 1) -> None:
    await order(house, turn, interruption.Hold(number, house.clock.now_ms()))


async def resume(house: House, turn: int, number: int = 1) -> None:
    await order(house, turn, interruption.Resume(number))


async def interrupt(house: House, turn: int) -> None:
    await order(house, turn, interruption.Stop(house.clock.now_ms()))


async def ended(house: House, turn: int) -> tuple[str, str]:
    """What the next turn is told of this one's end: what was said, and the outcome."""
    entries = await house.pipes.read(pipe_names.turn(CALL_ID, turn, pipe_names.SPOKEN))
    assert entries[-1].position == pipe_names.END_POSITION
    return entries[-1].fields[b"said"].decode(), entries[-1].fields[b"outcome"].decode()


_OTHERS = (":frames", ":events", ":control", ":transcript", ":sentences")


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
            (self.house.live_calls, "count"),
            (self.house.channel, "play"),
            (self.house.channel, "clear"),
            (self.house.files, "append"),
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
            self.done.append(f"{name} {arguments[0]}" if name == "append" else name)
            if number >= self.at and not self.after:
                raise Died
            if number > self.at:
                raise Died
            result = await honest(*arguments, **options)
            if number >= self.at:
                raise Died
            return result

        return operation

    @staticmethod
    def _is_worker(name: str, arguments: tuple[Any, ...]) -> bool:
        """Frames, marks and what other steps do go on while a worker dies."""
        return name != "append" or not str(arguments[0]).endswith(_OTHERS)


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


def sound(tts: FakeTextToSpeech, *sentences: str) -> bytes:
    """What the voice makes of these sentences."""
    return b"".join(tts.sound_of(sentence) for sentence in sentences)


def played(house: House) -> bytes:
    """Everything that was queued on the line."""
    return b"".join(piece.pcm for piece in house.channel.played)
