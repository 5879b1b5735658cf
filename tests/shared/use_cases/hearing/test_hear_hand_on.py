"""Where one turn's listening ends the next one's begins: nothing is lost between them, and nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.limits import CallLimits
from tests.fakes.call import CALL_ID, House, silence, voice
from tests.fakes.models import FakeSpeechToText
from tests.shared.use_cases.hearing.caller import Caller, hear_while, hearing, over


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.connect()
    yield house
    await house.channel.finish()


@pytest.fixture
def caller(house: House) -> Caller:
    return Caller(house)


async def test_what_is_said_while_the_words_of_a_turn_that_was_cut_are_awaited_belongs_to_the_next(
    house: House, caller: Caller
) -> None:
    """The caller speaks on without a pause."""
    await over(house)
    stt = FakeSpeechToText("Much.", delay_ms=800, clock=house.clock)
    hear = hearing(house, stt, CallLimits(longest_speech_ms=5_000))
    await hear_while(hear, caller, silence(200), voice(8_000))
    stt.assert_complete()
    (cursor,) = await house.pipe(2, pipe_names.CURSOR)
    assert int(cursor["at_ms"]) == pytest.approx(len(stt.heard[0]) / BYTES_PER_MS, abs=30)
    frames = await house.pipes.read(pipe_names.frames(CALL_ID))
    sound = [entry.position for entry in frames if b"d" in entry.fields]
    assert (sound.index(cursor["after"]) + 1) * 20 == int(cursor["at_ms"])


async def test_a_long_noise_without_words_leaves_no_gap(house: House, caller: Caller) -> None:
    await over(house)
    stt = FakeSpeechToText("", "Now.", delay_ms=800, clock=house.clock)
    hear = hearing(house, stt, CallLimits(longest_speech_ms=5_000))
    await hear_while(hear, caller, silence(200), voice(5_400), silence(2_000), voice(600))
    (cursor,) = await house.pipe(2, pipe_names.CURSOR)
    frames = await house.pipes.read(pipe_names.frames(CALL_ID))
    sound = [entry.position for entry in frames if b"d" in entry.fields]
    assert (sound.index(cursor["after"]) + 1) * 20 == int(cursor["at_ms"])
    assert (await house.live_calls.journal(CALL_ID, 1))["heard"] == "Now."


async def test_the_next_turn_does_not_wait_for_the_engine(
    house: House, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or an answer that comes meanwhile could not be interrupted."""

    async def turn_over(call_id: str, turn: int, limit_ms: int) -> None:
        if turn:
            await house.clock.sleep_ms(5_000)

    monkeypatch.setattr(house.orchestrations, "turn_over", turn_over)
    hear = hearing(house, FakeSpeechToText("Hello there."))
    task = asyncio.create_task(hear_while(hear, caller, voice(600)))
    await house.clock.sleep_ms(2_000)
    assert await house.pipe(2, pipe_names.CURSOR)
    await task
