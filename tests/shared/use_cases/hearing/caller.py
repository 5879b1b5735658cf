"""Somebody on the line: sends frames in real (virtual) time, as a browser does."""

from __future__ import annotations

import asyncio

from shared.adapters.web.media import WebFrameDecoder
from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.limits import CallLimits
from shared.ports.speech_to_text import SpeechToText
from shared.use_cases.hearing.hear import Hear
from tests.fakes.call import CALL_ID, FRAME_MS, House, silence, turn_request
from tests.fakes.models import FakeVoiceActivityDetector


class Caller:
    """`event_id` counts as the realtime service counts the events of a connection."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.event_id = 0

    async def sound(self, *parts: bytes, repeat: int = 1) -> None:
        """Send sound in frames; with `repeat` each frame comes several times under its id."""
        pcm = b"".join(parts)
        size = FRAME_MS * BYTES_PER_MS
        for start in range(0, len(pcm), size):
            await self.house.clock.sleep_ms(FRAME_MS)
            self.event_id += 1
            for _ in range(repeat):
                await self.frame(pcm[start : start + size], str(self.event_id))

    async def frame(self, payload: bytes, event_id: str) -> None:
        await self.house.pipes.append_frame(CALL_ID, "connection-1", event_id, payload)

    async def keep_silent(self) -> None:
        """Silence until cancelled."""
        while True:
            await self.sound(silence(1000))


def hearing(house: House, speech_to_text: SpeechToText, limits: CallLimits | None = None) -> Hear:
    return Hear(
        pipes=house.pipes,
        live_calls=house.live_calls,
        directory=house.directory,
        detector=FakeVoiceActivityDetector(),
        speech_to_text=speech_to_text,
        decoder_of=lambda live, from_ms: WebFrameDecoder(from_ms),
        channels=house.channels,
        files=house.files,
        clock=house.clock,
        limits=limits or CallLimits(),
        hand_over=house.hand_over,
    )


async def hear_while(hear: Hear, caller: Caller, *parts: bytes, turn: int = 1) -> str:
    """Listen for one turn while the caller makes this sound and then keeps silent."""

    async def talk() -> None:
        await caller.sound(*parts)
        await caller.keep_silent()

    talking = asyncio.create_task(talk())
    try:
        async with asyncio.timeout(7200):
            return await hear(turn_request(turn), caller.house.orchestrations)
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def frames_of(house: House) -> int:
    return len(await house.pipes.read(pipe_names.frames(CALL_ID)))


PAUSE_MS = 96
"""Silence after which the words are asked for."""


def words(text: str, take: int = 1) -> list[dict[str, str]]:
    """A turn whose words were known at its only pause."""
    return [{"event": "tentative", "text": text}, {"event": "final", "text": text}]


async def told(house: House, turn: int = 0) -> list[str]:
    """What the speaking of the turn before was told."""
    return [entry["event"] for entry in await house.pipe(turn, pipe_names.CONTROL)]


async def spoken(house: House, turn: int = 0) -> None:
    """The answer before has been said."""
    await house.live_calls.note(
        CALL_ID, turn, {"outcome": "completed", "said": "Hello.", "playback_ended_ms": house.clock.now_ms()}
    )


async def over(house: House, turn: int = 0) -> None:
    """The same, and everybody knows it."""
    await spoken(house, turn)
    await house.write(turn, pipe_names.SPOKEN, {"event": "end", "said": "Hello."}, pipe_names.END_POSITION)
