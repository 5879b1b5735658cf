"""What an agent writes in digits its voice is given in words, in the language of the call; the records keep what it
wrote. With models of this machine a call in Hindi is spoken in Hindi, and what cannot be heard is said to be so.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.end_to_end.scripted_service import Request, ScriptedService
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

SEED = Path(__file__).with_name("spoken_forms.json")
TELLER, HINDI_TELLER, TELLER_OF_BOTH = "+15550100085", "+15550100086", "+15550100087"
GREETINGS = {TELLER: "We open at 9:30.", HINDI_TELLER: "नमस्ते, आपका बिल ₹1,25,000 है।"}
APOLOGY = "माफ़ कीजिए, मेरी तरफ़ कुछ गड़बड़ हो गई। क्या आप फिर से कह सकते हैं?"
EXCHANGES = {
    TELLER: {
        "voice": "vm-nobodyavail",
        "heard": "What do I owe, and when?",
        "reply": "You owe ₹500000 on 5/6/2026. Order AB-12 costs 12.5%. Seat 14C boards at 6:05 am.",
    },
    HINDI_TELLER: {
        "voice": "all-circuits-busy-now",
        "heard": "मुझे कितना देना है?",
        "reply": "आपको ₹2.5 लाख देने हैं। शाम 5:30 बजे तक, 15 अगस्त को।",
    },
}
SPOKEN = {
    TELLER: [
        "We open at nine thirty.",
        "You owe five lakh rupees on the fifth of June twenty twenty six.",
        "Order A B, one two costs twelve point five percent.",
        "Seat fourteen C boards at six oh five AM.",
    ],
    HINDI_TELLER: [
        "नमस्ते,",
        "आपका बिल एक लाख पच्चीस हज़ार रुपये है।",
        "आपको ढाई लाख रुपये देने हैं।",
        "शाम साढ़े पाँच बजे तक,",
        "पंद्रह अगस्त को।",
    ],
}


MIXED = [
    {"voice": "tt-weasels", "heard": "Mera order kab aayega?", "reply": "It comes tomorrow."},
    {"voice": "number-not-answering", "heard": "Okay, thank you.", "reply": "You are welcome."},
    {"voice": "check-number-dial-again", "heard": "Mujhe ek aur book order karni hai.", "reply": "ज़रूर।"},
    {"voice": "vm-dialout", "heard": "Its price kitna hai?", "reply": "उसका दाम ₹250 है।"},
]
"""Two turns in Hindi, in Latin letters, with words between them that are said in any language, and one after them."""


@dataclass(frozen=True)
class Told:
    """The calls, what the voice was given in all of them, and what the model was told in the one that switches."""

    records: dict[str, dict[str, Any]]
    read_aloud: list[str]
    instructions: list[str]


async def _ended(
    stack: Stack, operator: str, number: str, exchanges: list[dict[str, str]], **wish: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    utterances = [{"file": stack.voice(one["voice"])["file"], "text": one["heard"]} for one in exchanges]
    result = await stack.call(to=number, utterances=utterances, **wish)
    return result, await stack.ended_call(result["call_sid"], operator)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(scripted_stack: Stack, scripted_operator: str) -> Told:
    scripted_stack.seed(SEED)
    service = ScriptedService(scripted_stack.speech_url)
    await service.give([*EXCHANGES.values(), *MIXED], stt_ms=60)
    talks = {number: [exchange] for number, exchange in EXCHANGES.items()} | {TELLER_OF_BOTH: MIXED}
    calls = [
        _ended(scripted_stack, scripted_operator, number, exchanges, **{"from": f"+1415555017{place}"})
        for place, (number, exchanges) in enumerate(talks.items())
    ]
    ended = dict(zip(talks, await asyncio.gather(*calls), strict=True))
    asked = await service.take_requests()
    records = {number: record for number, (_, record) in ended.items()}
    switching = records[TELLER_OF_BOTH]["call_id"]
    instructions = [
        one["details"]["instructions"]
        for one in asked
        if one["kind"] == "llm" and one["details"].get("call_id") == switching
    ]
    return Told(records, _read_aloud(asked), instructions)


def _read_aloud(requests: list[Request]) -> list[str]:
    return [request["details"]["text"] for request in requests if request["kind"] == "tts"]


@pytest.mark.parametrize("number", EXCHANGES, ids=["English of India", "Hindi"])
async def test_the_voice_is_given_words_and_the_records_keep_what_was_written(told: Told, number: str) -> None:
    turns = told.records[number]["turns"]
    assert [turn["said"] for turn in turns[:2]] == [GREETINGS[number], EXCHANGES[number]["reply"]]
    assert turns[1]["heard"] == EXCHANGES[number]["heard"]
    missing = [words for words in SPOKEN[number] if words not in " ".join(told.read_aloud)]
    assert missing == [], told.read_aloud


async def test_no_voice_is_given_a_digit(told: Told) -> None:
    assert told.read_aloud
    assert not [text for text in told.read_aloud if any(letter.isdecimal() for letter in text)]


async def test_a_call_goes_on_in_hindi_that_was_written_in_latin_letters(told: Told) -> None:
    record = told.records[TELLER_OF_BOTH]
    assert [turn["heard"] for turn in record["turns"][1:]] == [exchange["heard"] for exchange in MIXED]
    assert record["language"] == "hi-IN"
    assert "hi-IN: answer in it" not in told.instructions[0]
    assert "hi-IN: answer in it" in told.instructions[-1]
    assert "उसका दाम दो सौ पचास रुपये है।" in told.read_aloud
    assert record["turns"][4]["said"] == MIXED[3]["reply"]


async def test_models_of_this_machine_speak_hindi_and_say_that_they_do_not_hear_it(
    stack: Stack, operator: str
) -> None:
    stack.seed(SEED)
    result, record = await _ended(
        stack, operator, HINDI_TELLER, [EXCHANGES[HINDI_TELLER]], **{"from": "+14155550179"}
    )
    asked = await ScriptedService(stack.speech_url).requests()
    of_call = [request for request in asked if request["details"].get("call_id") == record["call_id"]]
    spoken = [request for request in asked if request["kind"] == "tts" and "लाख" in request["details"]["text"]]
    assert spoken
    assert all(request["status"] == 200 and request["details"]["audio_ms"] > 1000 for request in spoken), spoken
    assert record["turns"][0]["said"] == GREETINGS[HINDI_TELLER]
    assert result["turns"][0]["heard_ms"] > 1500, "the greeting was to be heard on the line"
    heard = [request for request in of_call if request["kind"] == "stt"]
    assert heard
    assert {(request["status"], request["details"]["language"]) for request in heard} == {(400, "hi")}
    assert not [turn["heard"] for turn in record["turns"] if turn["heard"]], "wrong words are worse than none"
    assert record["turns"][1]["said"] == APOLOGY
    assert "stt:openai failed: openai_refused: HTTP 400 language_not_heard" in stack.log_of("app")
