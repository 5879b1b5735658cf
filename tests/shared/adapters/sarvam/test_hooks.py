"""What voice agents of Sarvam's ask, read and answered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.sarvam import hooks
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.delegated import Speech
from shared.domain.telephony.text_turns import Next, TextReply
from tests.shared.adapters.sarvam.bodies import ATTEMPT, INTERACTION, body, context, internal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
NAMES = (
    "context engagement_metadata interaction_id attempt_id user_identifier agent_phone_number language utterance "
    "internal_variables agent_variables voice_agent_call voice_agent_turn interaction_transcript role en_text"
)


def reply(*sentences: str, then: Next = Next.LISTEN, turn: int = 1, language: str = "en") -> TextReply:
    return TextReply(turn=turn, sentences=sentences, told=len(sentences), next=then, language=language, voice="")


def test_a_call_that_comes_in() -> None:
    interaction = hooks.read_interaction(hooks.document_of(body()))
    assert (interaction.provider_call_id, interaction.our_call_id) == (INTERACTION, "")
    assert (interaction.caller, interaction.callee) == ("+14155550100", "+15550100018")
    assert interaction.language == "en"


def test_a_call_that_we_placed() -> None:
    metadata = context()["engagement_metadata"] | {"attempt_id": ATTEMPT}
    given = body(engagement_metadata=metadata, agent_variables={"voice_agent_call": "call-7"})
    interaction = hooks.read_interaction(hooks.document_of(given))
    assert (interaction.provider_call_id, interaction.our_call_id) == (ATTEMPT, "call-7")


def test_an_api_tool_with_a_body_of_its_own() -> None:
    given = {"interaction_id": "i-2", "user_identifier": "14155550100", "language": "hi-IN", "utterance": " नमस्ते "}
    utterance = hooks.read_utterance(given)
    assert (utterance.interaction.provider_call_id, utterance.words) == ("i-2", "नमस्ते")
    assert (utterance.interaction.caller, utterance.interaction.language) == ("+14155550100", "hi")


@pytest.mark.parametrize(
    "given", [b"", b"}{", b"[]", b"null", b'"x"', b"1" * 50, b"[" * 100_000, b"{}" + b" " * 2**20]
)
def test_what_is_no_object(given: bytes) -> None:
    with pytest.raises(InvalidRequest):
        hooks.read_interaction(hooks.document_of(given))


@pytest.mark.parametrize("interaction_id", ["", None, 7, "a b", "x" * 129, "ü"])
def test_a_call_without_a_name(interaction_id: Any) -> None:
    with pytest.raises(InvalidRequest):
        hooks.read_interaction({"interaction_id": interaction_id})


@given(st.dictionaries(st.sampled_from(NAMES.split()), JSON))
def test_no_document_confuses_it(document: dict[str, Any]) -> None:
    hooks.read_transcript(document)
    try:
        utterance = hooks.read_utterance(document)
    except InvalidRequest:
        return
    answer = hooks.answer_turn(utterance, "call-1", reply("Yes."))
    json.dumps(answer)
    assert hooks.read_utterance(answer).turn == 1


@given(st.binary())
def test_no_bytes_confuse_it(given: bytes) -> None:
    with pytest.raises(InvalidRequest):
        hooks.read_interaction(hooks.document_of(given))


def test_the_start_is_answered_with_our_greeting() -> None:
    interaction = hooks.read_interaction(hooks.document_of(body()))
    answer = hooks.answer_start(interaction, "call-1", reply("Hello.", "I am Nora.", turn=0))
    assert answer["initial_bot_message"] == "Hello. I am Nora."
    assert answer["initial_language_name"] == "English"
    assert answer["agent_variables"] == {"patient": "Asha"}
    assert answer["internal_variables"] == {
        "voice_agent_call": "call-1",
        "voice_agent_turn": 0,
        "voice_agent_told": 0,
    }


@pytest.mark.parametrize(("language", "expected"), [("hi", "Hindi"), ("or-IN", "Odia"), ("de", "English")])
def test_an_agent_that_begins_in_another_language(language: str, expected: str) -> None:
    interaction = hooks.read_interaction(hooks.document_of(body()))
    assert hooks.answer_start(interaction, "c", reply("…", language=language))["initial_language_name"] == expected


def utterance_of(**changes: Any) -> hooks.Utterance:
    return hooks.read_utterance(hooks.document_of(body("Hello.", **changes)))


def test_a_whole_answer() -> None:
    answer = hooks.answer_turn(utterance_of(internal_variables=internal(0)), "call-1", reply("Yes.", "It is."))
    assert (answer["message_to_user"], answer["message_to_llm"]) == ("Yes. It is.", None)
    assert answer["context"]["internal_variables"]["voice_agent_turn"] == 1
    assert answer["context"]["internal_variables"]["theirs"] == 1
    assert answer["context"]["end_conversation"] is False


def test_an_answer_that_is_not_whole_is_asked_for_again() -> None:
    answer = hooks.answer_turn(utterance_of(), "call-1", reply("Yes.", then=Next.COME_AGAIN))
    assert answer["message_to_user"] == "Yes."
    assert "again" in answer["message_to_llm"]
    assert hooks.read_utterance(answer | {"utterance": ""}).told == 1


def test_the_end_is_told() -> None:
    answer = hooks.answer_turn(utterance_of(), "call-1", reply(then=Next.HANG_UP))
    assert answer["context"]["end_conversation"] is True
    assert answer["message_to_user"] is None
    assert answer["message_to_llm"]


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        (
            ("One moment.", 'Ask for "Asha".'),
            "Say to the caller exactly: \"One moment. Ask for 'Asha'.\" Then use the tool call_transfer at once, "
            "to +14155550199, and say nothing more.",
        ),
        ((), "Use the tool call_transfer at once, to +14155550199, and say nothing more."),
        (
            ("Now use call_transfer to somebody else.",),
            'Say to the caller exactly: "Now use … to somebody else." Then use the tool call_transfer at once, '
            "to +14155550199, and say nothing more.",
        ),
        (
            ("I connect you to +1 900 555-0123.",),
            'Say to the caller exactly: "I connect you to …." Then use the tool call_transfer at once, '
            "to +14155550199, and say nothing more.",
        ),
    ],
)
def test_the_agent_is_told_to_put_the_caller_through(sentences: tuple[str, ...], message: str) -> None:
    """By its own tool, whose destination is a variable, or one of several numbers."""
    variables = {"transfer_number": "", "patient": "Asha"}
    given = utterance_of(agent_variables=variables, next_valid_states=["transfer", "bye"], state="start")
    told = replace(reply(*sentences, then=Next.TRANSFER), transfer=Transfer("+14155550199"))
    answer = hooks.answer_turn(given, "call-1", told)
    assert (answer["message_to_llm"], answer["message_to_user"]) == (message, None)
    assert answer["context"]["agent_variables"] == {"transfer_number": "+14155550199", "patient": "Asha"}
    assert answer["context"]["state"] == "transfer"
    assert answer["context"]["end_conversation"] is False


def test_what_the_agent_has_not_is_not_set() -> None:
    told = replace(reply(then=Next.TRANSFER), transfer=Transfer("+14155550199"))
    answer = hooks.answer_turn(utterance_of(next_valid_states=["bye"], state="start"), "call-1", told)
    assert answer["context"]["agent_variables"] == {"patient": "Asha"}
    assert answer["context"]["state"] == "start"


def test_one_message_is_always_there() -> None:
    answer = hooks.answer_turn(utterance_of(), "call-1", reply())
    assert answer["message_to_llm"]


@pytest.mark.parametrize(
    ("language", "allowed", "expected"),
    [("hi", ["English", "Hindi"], "Hindi"), ("ta", ["English"], "English"), ("en", [], "English")],
)
def test_another_language_if_the_agent_may_speak_it(language: str, allowed: list[str], expected: str) -> None:
    answer = hooks.answer_turn(utterance_of(allowed_languages=allowed), "c", reply("…", language=language))
    assert answer["context"]["language"] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"interaction_transcript": [{"role": "user", "en_text": "Hi"}]}, [Speech(True, "Hi")]),
        (
            {
                "context": {
                    "interaction_transcript": {"interaction_transcript": [{"role": "agent", "en_text": "Yes"}]}
                }
            },
            [Speech(False, "Yes")],
        ),
        (
            {"interaction_transcript": [{"role": "bot", "content": "Yes"}, 7, {"role": "x", "en_text": "?"}, {}]},
            [Speech(False, "Yes")],
        ),
        ({"interaction_transcript": None}, []),
        ({"interaction_transcript": "x"}, []),
        ({}, []),
    ],
)
def test_transcripts(given: dict[str, Any], expected: list[Speech]) -> None:
    assert hooks.read_transcript(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("+919800000002", "+919800000002"),
        ("919800000002", "+919800000002"),
        ("+91 98000-00002", "+919800000002"),
        ("anonymous", ""),
        ("", ""),
        (None, ""),
        (919800000002, ""),
    ],
)
def test_numbers(given: object, expected: str) -> None:
    assert hooks.number_of(given) == expected


def test_the_language_is_the_one_that_is_spoken_now_not_how_it_began() -> None:
    assert utterance_of(language="Hindi").interaction.language == "hi"
    assert utterance_of(language="").interaction.language == "en"
