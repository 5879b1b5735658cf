"""A socket that breaks and is replaced: what sounded stands in the recording where the clock says, on both sides."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from shared.adapters.twilio.media_codec import TwilioFrameDecoder
from shared.domain.audio import BYTES_PER_MS, encode_mulaw, samples_of
from shared.domain.recording import stereo_wav
from tests.fakes.call import CALL_ID, FRAME_MS, House, silence, turn_request, voice
from tests.fakes.models import FakeSpeechToText, FakeTextToSpeech
from tests.shared.use_cases.hearing.caller import Caller, hear_while, hearing, over
from tests.shared.use_cases.speaking.line import answer, speaker

_GAP_MS = 2400
_CLOSE_MS = 2 * FRAME_MS


class TwilioCaller(Caller):
    """Each stream counts its own time from 0."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.connection, self.timestamp_ms = "connection-1", 0

    async def frame(self, payload: bytes, event_id: str) -> None:
        mulaw = base64.b64encode(encode_mulaw(samples_of(payload)[::2])).decode()
        media = {"event": "media", "media": {"timestamp": str(self.timestamp_ms), "payload": mulaw}}
        self.timestamp_ms += FRAME_MS
        await self.house.pipes.append_frame(CALL_ID, self.connection, event_id, json.dumps(media).encode())

    async def move(self, gap_ms: float = _GAP_MS) -> None:
        """Another socket takes this one's place after a while."""
        await self.house.live_calls.detach(CALL_ID, connection_id=self.connection)
        await self.house.clock.sleep_ms(gap_ms)
        self.connection, self.timestamp_ms, self.event_id = f"{self.connection}+", 0, 0
        live = await self.house.live_calls.get(CALL_ID)
        assert live is not None
        await self.house.attach_media._attach(live, "clients", self.connection, "")


@pytest.fixture
async def house() -> House:
    house = House()
    await house.connect()
    await over(house)
    return house


def _hearing(house: House, *script: str) -> object:
    return replace(
        hearing(house, FakeSpeechToText(*script)), decoder_of=lambda live, from_ms: TwilioFrameDecoder(from_ms)
    )


async def _started_ms(house: House) -> int:
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    return live.started_ms


def _loud(house: House) -> list[tuple[int, int]]:
    """From when to when the caller's track is loud, in ms; the pauses between are longer than a frame."""
    wav, _ = stereo_wav(house.kept("caller"), [])
    track = samples_of(wav[44:]).reshape(-1, 2)[:, 0]
    blocks = [abs(track[i : i + 160].astype(int)).mean() > 300 for i in range(0, len(track), 160)]
    runs: list[tuple[int, int]] = []
    for number, is_loud in enumerate(blocks):
        at_ms = number * 10
        if is_loud and runs and at_ms - runs[-1][1] < 100:
            runs[-1] = (runs[-1][0], at_ms + 10)
        elif is_loud:
            runs.append((at_ms, at_ms + 10))
    return runs


async def test_a_gap_within_a_turn_stands_in_the_recording(house: House) -> None:
    caller = TwilioCaller(house)
    began: list[float] = []

    async def talk() -> None:
        await caller.sound(silence(400))
        began.append(house.clock.now_ms())
        await caller.sound(voice(800), silence(100))
        await caller.move()
        began.append(house.clock.now_ms())
        await caller.sound(voice(800), silence(600))
        await caller.keep_silent()

    talking = asyncio.create_task(talk())
    try:
        assert await _hearing(house, *["Hello there."] * 4)(turn_request(1), house.orchestrations) == ""  # type: ignore[operator]
    finally:
        talking.cancel()
    zero_ms = await _started_ms(house)
    for (from_ms, until_ms), at_ms in zip(_loud(house), began, strict=True):
        assert abs(from_ms - (at_ms - zero_ms)) <= _CLOSE_MS
        assert abs(until_ms - from_ms - 800) <= _CLOSE_MS


@pytest.mark.parametrize("gap_ms", [0.0, 300.0, _GAP_MS])
async def test_both_sides_stay_together_after_gaps_between_turns(house: House, gap_ms: float) -> None:
    """As the caller speaks into the pause after the agent's answer, so it stands in the recording."""
    caller, tts = TwilioCaller(house), FakeTextToSpeech(house.clock)
    hear = _hearing(house, *["Hello there."] * 9)
    said: list[float] = []
    for turn in (1, 2, 3):
        said.append(house.clock.now_ms() + 300)
        assert await hear_while(hear, caller, silence(300), voice(800), silence(600), turn=turn) == ""  # type: ignore[arg-type]
        await answer(house, turn, "An answer.")
        speaking = asyncio.create_task(speaker(house, tts)(turn_request(turn)))
        await asyncio.sleep(0.05)
        await caller.move(gap_ms)
        await caller.sound(silence(1500))
        await speaking
    zero_ms = await _started_ms(house)
    for (from_ms, _), at_ms in zip(_loud(house), said, strict=True):
        assert abs(from_ms - (at_ms - zero_ms)) <= _CLOSE_MS
    agent = [at_ms for at_ms, _ in house.kept("agent")]
    assert len(agent) == 3
    caller_ends = [until_ms for _, until_ms in _loud(house)]
    for at_ms, until_ms in zip(agent, caller_ends, strict=True):
        assert 0 < at_ms - until_ms < 700, "the answer follows the caller's words as it did"


async def test_heard_again_after_a_crash_the_gap_is_the_same(house: House) -> None:
    caller = TwilioCaller(house)
    await caller.sound(silence(300), voice(500))
    await caller.move()
    await caller.sound(voice(500), silence(800))
    for _ in range(2):
        assert await _hearing(house, *["Hello there."] * 4)(turn_request(1), house.orchestrations) == ""  # type: ignore[operator]
    first, second = house.kept("caller")
    assert abs(second[0] - first[0] - len(first[1]) // BYTES_PER_MS - _GAP_MS) <= _CLOSE_MS
