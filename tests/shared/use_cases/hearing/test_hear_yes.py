"""A short "yes" to the agent's question is an answer and no backchannel, though it begins in the last syllable."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain import pipe_names
from tests.fakes.call import CALL_ID, House, silence, turn_request, voice
from tests.fakes.models import FakeSpeechToText, FakeTextToSpeech
from tests.shared.use_cases.hearing.caller import Caller, hearing, told
from tests.shared.use_cases.speaking.line import answer, speaker

QUESTION = "Shall I book it for you?"
QUESTION_MS = 50 * len(QUESTION)


async def say_yes_at(house: House, at_ms: int, *, lasts_ms: int = 300, known_after_ms: int = 100) -> None:
    """While the agent asks its question; listening goes on for some seconds at most."""
    await house.connect()
    await answer(house, 0, QUESTION)
    speaking = asyncio.create_task(speaker(house, FakeTextToSpeech(house.clock))(turn_request(0)))
    caller = Caller(house)

    async def talk() -> None:
        await caller.sound(silence(at_ms), voice(lasts_ms))
        await caller.keep_silent()

    talking = asyncio.create_task(talk())
    try:
        async with asyncio.timeout(4):
            stt = FakeSpeechToText("Yes.", delay_ms=known_after_ms, clock=house.clock)
            await hearing(house, stt)(turn_request(1), house.orchestrations)
    except TimeoutError:
        pass
    finally:
        talking.cancel()
        await asyncio.gather(talking, speaking, return_exceptions=True)
        await house.channel.finish()


async def heard(house: House) -> str | None:
    return (await house.live_calls.journal(CALL_ID, 1)).get("heard")


@pytest.mark.parametrize("interruptible", [True, False])
@pytest.mark.parametrize("before_end_ms", [300, 150, 60, 0, -40])
async def test_yes_to_a_question_that_is_all_but_asked(before_end_ms: int, interruptible: bool) -> None:
    house = House()
    house.change_agent(interruptible=interruptible)
    await say_yes_at(house, QUESTION_MS - before_end_ms)
    assert await heard(house) == "Yes."
    transcript = await house.pipe(1, pipe_names.TRANSCRIPT)
    assert transcript[-1] == {"event": "final", "text": "Yes."}


async def test_a_short_yes_whose_words_are_known_after_the_agent_went_on() -> None:
    house = House()
    await say_yes_at(house, QUESTION_MS - 200, lasts_ms=200, known_after_ms=500)
    assert await heard(house) == "Yes."


async def test_a_short_yes_in_the_midst_whose_words_are_known_late_is_a_backchannel() -> None:
    house = House()
    await say_yes_at(house, QUESTION_MS - 1000, lasts_ms=200, known_after_ms=300)
    assert await heard(house) is None
    assert await told(house) == ["hold", "resume"]


async def test_yes_in_the_midst_of_it_is_a_backchannel() -> None:
    house = House()
    await say_yes_at(house, QUESTION_MS - 900)
    assert await heard(house) is None
    assert await told(house) == ["hold", "resume"]
    assert (await house.live_calls.journal(CALL_ID, 0))["said"] == QUESTION
