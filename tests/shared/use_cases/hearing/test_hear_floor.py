"""Who has the floor: what holds the agent, what stops it, what is prepared at a pause, and when a turn is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver, Manner
from tests.fakes.call import CALL_ID, House, silence, turn_request, voice
from tests.fakes.models import FakeSpeechToText
from tests.shared.use_cases.hearing.caller import PAUSE_MS, Caller, hear_while, hearing, over, told, words


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.connect()
    yield house
    await house.channel.finish()


@pytest.fixture
def caller(house: House) -> Caller:
    return Caller(house)


async def test_speech_holds_the_agent_at_once_and_stops_it_when_it_is_sure(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("Stop.")
    began_ms = house.clock.now_ms()
    talking = asyncio.create_task(hear_while(hearing(house, stt), caller, voice(2000)))
    await house.clock.sleep_ms(200)
    (hold,) = await house.pipe(0, pipe_names.CONTROL)
    assert hold["event"] == "hold"
    assert float(hold["at_ms"]) == pytest.approx(began_ms, abs=30), "when the caller began"
    assert house.orchestrations.began == [(CALL_ID, 1)], "long before the turn is over"
    await house.clock.sleep_ms(700)
    assert await told(house) == ["hold", "stop"]
    await talking
    assert await told(house) == ["hold", "stop"]


async def test_words_take_the_turn_sooner(house: House, caller: Caller) -> None:
    talking = asyncio.create_task(hear_while(hearing(house, FakeSpeechToText("Stop!")), caller, voice(400)))
    await house.clock.sleep_ms(600)
    assert await told(house) == ["hold", "stop"]
    await talking


@pytest.mark.parametrize("text", ["", "Mhm.", "Yeah, okay."])
async def test_a_cough_or_a_backchannel_lets_the_agent_go_on(house: House, caller: Caller, text: str) -> None:
    """And no trace of it remains in what the caller said."""
    stt = FakeSpeechToText(text, "Stop it.")
    hear = hearing(house, stt)
    talking = asyncio.create_task(hear_while(hear, caller, voice(400), silence(900), voice(1000)))
    await house.clock.sleep_ms(400 + 700)
    assert await told(house) == ["hold", "resume"]
    assert await talking == ""
    assert await told(house) == ["hold", "resume", "hold", "stop"]
    stt.assert_complete()
    assert (await house.pipe(1, pipe_names.TRANSCRIPT))[-1] == {"event": "final", "text": "Stop it."}
    assert house.orchestrations.began == [(CALL_ID, 1)], "the next turn was armed once"
    assert (await house.live_calls.journal(CALL_ID, 1))["heard"] == "Stop it."


async def test_a_short_burst_does_not_wait_for_slow_words(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("", "Stop it.", delay_ms=2000, clock=house.clock)
    talking = asyncio.create_task(hear_while(hearing(house, stt), caller, voice(160), silence(3000), voice(1000)))
    await house.clock.sleep_ms(160 + 500)
    assert await told(house) == ["hold", "resume"]
    assert await talking == ""


async def test_words_that_come_late_interrupt_after_all(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("No!", delay_ms=1000, clock=house.clock)
    assert await hear_while(hearing(house, stt), caller, voice(160)) == ""
    assert (await told(house))[:2] == ["hold", "resume"]
    assert (await told(house))[-1] == "stop"
    assert (await house.live_calls.journal(CALL_ID, 1))["heard"] == "No!"


async def test_yes_is_an_answer_when_the_agent_is_silent(house: House, caller: Caller) -> None:
    await over(house)
    assert await hear_while(hearing(house, FakeSpeechToText("Yes.")), caller, silence(200), voice(400)) == ""
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == words("Yes.")
    assert await told(house) == []


async def test_noise_without_words_is_no_turn(house: House, caller: Caller) -> None:
    await over(house)
    stt = FakeSpeechToText("", "Hello.")
    assert await hear_while(hearing(house, stt), caller, silence(200), voice(400), silence(900), voice(600)) == ""
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == words("Hello.")
    assert stt.opened == 2


async def test_who_goes_on_withdraws_what_was_prepared(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("I would like", "I would like to know.")
    hear = hearing(house, stt)
    assert await hear_while(hear, caller, silence(200), voice(600), silence(200), voice(600)) == ""
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [
        {"event": "tentative", "text": "I would like"},
        {"event": "withdrawn"},
        {"event": "tentative", "text": "I would like to know."},
        {"event": "final", "text": "I would like to know."},
    ]
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert (journal["cost.takes"], journal["cost.takes_withdrawn"], journal["cost.transcriptions"]) == ("2", "1", "2")
    assert journal["heard"] == "I would like to know."


async def test_words_that_come_after_the_pause_are_of_no_use(house: House, caller: Caller) -> None:
    house.change_agent(patience_ms=600)
    stt = FakeSpeechToText("I would", "I would like to know.", delay_ms=300, clock=house.clock)
    hear = hearing(house, stt)
    assert await hear_while(hear, caller, silence(200), voice(600), silence(200), voice(600)) == ""
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == words("I would like to know.")


async def test_what_was_said_before_a_long_pause_is_not_heard_again(house: House, caller: Caller) -> None:
    house.change_agent(patience_ms=1000)
    stt = FakeSpeechToText("I would like", "I would like to know.")
    hear = hearing(house, stt)
    assert await hear_while(hear, caller, silence(200), voice(600), silence(500), voice(600)) == ""
    assert stt.cuts == 1


async def test_the_turn_waits_for_its_words(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("Hello there.", delay_ms=900, clock=house.clock)
    began_ms = house.clock.now_ms()
    await hear_while(hearing(house, stt), caller, silence(200), voice(600))
    assert house.clock.now_ms() - began_ms == pytest.approx(200 + 600 + PAUSE_MS + 900, abs=60)
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [{"event": "final", "text": "Hello there."}], (
        "never tentative"
    )


async def test_words_that_do_not_come_are_not_waited_for_without_end(house: House, caller: Caller) -> None:
    await over(house)
    stt = FakeSpeechToText("Hello.", delay_ms=60_000, clock=house.clock)
    began_ms = house.clock.now_ms()
    await hear_while(hearing(house, stt), caller, voice(600))
    assert house.clock.now_ms() - began_ms < house.agent.manner.reply_limit_ms
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [{"event": "failed"}]


async def test_an_agent_that_does_not_speculate_asks_when_patience_has_passed(house: House, caller: Caller) -> None:
    house.change_agent(manner=Manner(speculates=False))
    stt = FakeSpeechToText("Hello there.")
    await hear_while(hearing(house, stt), caller, silence(200), voice(600), silence(200), voice(600))
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [{"event": "final", "text": "Hello there."}]
    assert len(stt.heard[0]) / BYTES_PER_MS == pytest.approx(1600 + 320, abs=64)


async def test_keys_are_heard_too(house: House, caller: Caller) -> None:
    async def press() -> None:
        for key in "123#":
            await house.clock.sleep_ms(400)
            await house.pipes.append(pipe_names.frames(CALL_ID), {"k": key})

    pressing = asyncio.create_task(press())
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, b"") == ""
    await pressing
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [{"event": "final", "text": "(keys: 1 2 3)"}]
    assert await told(house) == ["hold", "stop"]


async def test_keys_after_words_belong_to_them(house: House, caller: Caller) -> None:
    async def press() -> None:
        await house.clock.sleep_ms(700)
        await house.pipes.append(pipe_names.frames(CALL_ID), {"k": "5"})

    pressing = asyncio.create_task(press())
    await hear_while(hearing(house, FakeSpeechToText("My number is", "My number is")), caller, voice(600))
    await pressing
    assert (await house.live_calls.journal(CALL_ID, 1))["heard"] == "My number is (keys: 5)"


@pytest.mark.parametrize("key", ["0", "5"])
async def test_the_key_for_a_person_hands_the_call_over(house: House, caller: Caller, key: str) -> None:
    rule = HandOver("0", "+14155550188")
    house.change_agent(manner=Manner(hand_over=rule))

    async def press() -> None:
        await house.clock.sleep_ms(300)
        for pressed in (key, "#"):
            await house.pipes.append(pipe_names.frames(CALL_ID), {"k": pressed})

    pressing = asyncio.create_task(press())
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, b"") == ""
    await pressing
    assert house.handed_over == ([(CALL_ID, rule)] if key == "0" else [])


async def test_a_caller_who_waits_for_somebody_else_is_not_taken_for_gone(house: House) -> None:
    """In a warm transfer no sound comes to us until nobody has taken it."""
    await house.live_calls.leave(CALL_ID, "transferred")
    hear = hearing(house, FakeSpeechToText(), CallLimits(no_media_s=5))
    waiting = asyncio.create_task(hear(turn_request(1), house.orchestrations))
    await house.clock.sleep_ms(60_000)
    assert not waiting.done()
    await house.live_calls.leave(CALL_ID, "")
    assert await waiting == "no_media"


@pytest.mark.parametrize("is_over", [True, False])
async def test_the_watch_waits_for_an_answer_that_may_not_be_interrupted(
    house: House, caller: Caller, is_over: bool
) -> None:
    """Or it would break into it with an apology."""
    house.change_agent(interruptible=False)
    if is_over:
        await over(house)
    await hear_while(hearing(house, FakeSpeechToText("Yes, please.")), caller, voice(600))
    assert house.orchestrations.over[-1] == (CALL_ID, 1, 9_000 if is_over else 129_000)
