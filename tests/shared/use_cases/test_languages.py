"""A call that goes on in the language that its caller speaks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.domain.manner import Manner
from shared.domain.telephony.lines import Line
from shared.use_cases.languages import call_language, language_entries
from tests.fakes.call import CALL_ID, House, silence, voice
from tests.fakes.models import FakeSpeechToText
from tests.shared.use_cases.hearing.caller import Caller, hear_while, hearing, over
from tests.shared.use_cases.texting.text_call import TextCall, text_call

BOTH = Manner(languages=("en", "hi"))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    house.change_agent(manner=BOTH)
    await house.connect()
    yield house
    await house.channel.finish()


async def heard(house: House, caller: Caller, turn: int, text: str) -> dict[str, str]:
    await over(house, turn - 1)
    await hear_while(hearing(house, FakeSpeechToText(text)), caller, silence(400), voice(1000), turn=turn)
    return await house.live_calls.journal(CALL_ID, turn)


async def test_two_turns_in_another_language_switch_the_call(house: House) -> None:
    caller = Caller(house)
    first = await heard(house, caller, 1, "नमस्ते।")
    second = await heard(house, caller, 2, "मेरा फ़ोन काम नहीं करता।")
    third = await heard(house, caller, 3, "I said hello?")
    assert [entry["language"] for entry in (first, second, third)] == ["en", "hi", "hi"]
    assert [entry["language_heard"] for entry in (first, second, third)] == ["hi", "hi", "en"]
    assert await call_language(house.live_calls, CALL_ID, 4, house.agent) == "hi"


async def test_hindi_in_latin_letters_and_words_of_any_language_between_switch_the_call(house: House) -> None:
    caller = Caller(house)
    said = ("mera order kab aayega?", "Hello?", "mujhe order cancel karna hai", "ok, thank you", "cancel kar dijiye")
    turns = [await heard(house, caller, number, text) for number, text in enumerate(said, start=1)]
    assert [entry["language"] for entry in turns] == ["en", "en", "hi", "hi", "hi"]


async def test_a_caller_who_mixes_languages_is_not_answered_now_in_one_and_now_in_the_other(house: House) -> None:
    caller = Caller(house)
    said = ("मेरा order कब आएगा?", "I paid for it yesterday.", "वो online payment था।", "And it says delivered.")
    turns = [await heard(house, caller, number, text) for number, text in enumerate(said, start=1)]
    assert [entry["language"] for entry in turns] == ["en"] * 4


async def test_an_agent_with_one_language_stays_in_it() -> None:
    house = House()
    await house.connect()
    journal = await heard(house, Caller(house), 1, "नमस्ते।")
    assert "language" not in journal
    assert await call_language(house.live_calls, CALL_ID, 9, house.agent) == "en"
    await house.channel.finish()


async def test_a_turn_without_words_changes_nothing(house: House) -> None:
    await house.live_calls.note(CALL_ID, 1, {"language": "hi", "language_heard": "hi"})
    entries = await language_entries(house.live_calls, CALL_ID, 2, house.agent, words=None, told="", is_sure=False)
    assert entries == {"language": "hi", "language_heard": "hi"}


async def test_the_detection_is_asked_for_where_a_call_may_switch(house: House) -> None:
    ear = FakeSpeechToText("Hello.")
    await hear_while(hearing(house, ear), Caller(house), silence(400), voice(1000))
    assert ear.languages == ["auto"]


async def last_prompt(call: TextCall) -> str:
    return call.model.asked[-1][0]


async def test_a_line_that_tells_the_language_switches_at_once() -> None:
    async with text_call(Line.SARVAM, manner=BOTH) as call:
        assert (await call.ask(0, None)).language == "en"
        reply = await call.take(CALL_ID, 1, "namaste", within_s=6.0, language="hi-IN")
        assert (reply.language, reply.text) == ("hi", "You said namaste.")
        again = await call.take(CALL_ID, 2, "phir se", within_s=6.0, language="hi-IN")
        assert again.language == "hi"
        assert "hi: answer in it" in await last_prompt(call)
        back = await call.take(CALL_ID, 3, "in English please", within_s=6.0, language="en-IN")
        assert back.language == "en"
