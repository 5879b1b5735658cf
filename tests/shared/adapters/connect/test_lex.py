"""The bot's code hook: one turn an utterance, also when it is asked about twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.connect.lex import LONGEST_MESSAGE, MOST_MESSAGES, lex_answer, read_lex_event
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.text_turns import Next, TextReply
from tests.shared.adapters.connect.events import CONTACT, INSTANCE, lex_event
from tests.shared.adapters.connect.test_flow_events import JSON

NOW_MS = 1_795_381_200_000.0
REPLY = TextReply(1, ("Which day suits you?",), 1, Next.LISTEN, "en", "default")


def answered(event: dict[str, Any], reply: TextReply = REPLY) -> dict[str, Any]:
    return lex_answer(reply, read_lex_event(event, NOW_MS), now_ms=NOW_MS)


def after(event: dict[str, Any], answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The next event of the session."""
    state = {**event["sessionState"], "sessionAttributes": answer["sessionState"]["sessionAttributes"], **changes}
    return {**event, "sessionState": state}


def test_what_the_caller_said() -> None:
    request = read_lex_event(lex_event(), NOW_MS)
    spoke = request.spoke()
    assert (request.contact_id, request.instance_arn, request.language) == (CONTACT, INSTANCE, "en-IN")
    assert (spoke.text, spoke.turn, spoke.confidence) == ("move my appointment", 1, 0.92)


def test_keys_are_no_words() -> None:
    spoke = read_lex_event(lex_event("12#", mode="DTMF"), NOW_MS).spoke()
    assert (spoke.text, spoke.keys) == ("", "12#")


def test_it_listens_on() -> None:
    answer = answered(lex_event())
    assert answer["sessionState"]["dialogAction"] == {"type": "ElicitIntent"}
    assert answer["messages"] == [{"contentType": "PlainText", "content": "Which day suits you?"}]
    attributes = answer["sessionState"]["sessionAttributes"]
    assert (attributes["turn"], attributes["next"], attributes["contact"]) == ("2", "listen", CONTACT)


@pytest.mark.parametrize("then", [Next.COME_AGAIN, Next.HANG_UP, Next.TRANSFER])
def test_it_hands_back_to_the_flow(then: Next) -> None:
    transfer = Transfer("+14155550199", keys="1") if then is Next.TRANSFER else None
    state = answered(lex_event(), replace(REPLY, next=then, transfer=transfer))["sessionState"]
    assert state["dialogAction"] == {"type": "Close"}
    assert state["intent"]["state"] == "Fulfilled"
    attributes = state["sessionAttributes"]
    assert (attributes["next"], attributes["turn"]) == (then.value, "1")
    assert attributes["words"] == "move my appointment"
    assert attributes["dest"] == ("+14155550199" if transfer else "")


def test_an_utterance_that_is_asked_about_again_is_the_same_turn() -> None:
    event = lex_event()
    again = after(event, answered(event))
    assert read_lex_event(again, NOW_MS + 60_000).turn == 1
    other = after(event, answered(event), originatingRequestId="another")
    assert read_lex_event(other, NOW_MS + 500).turn == 2


def test_without_an_id_the_same_words_at_once_are_the_same_utterance() -> None:
    event = lex_event("yes")
    event["sessionState"]["originatingRequestId"] = None
    again = after(event, answered(event), originatingRequestId=None)
    assert read_lex_event(again, NOW_MS + 500).turn == 1
    assert read_lex_event(again, NOW_MS + 5_000).turn == 2, "a caller may say yes twice"


def test_silence_may_come_again() -> None:
    event = lex_event("")
    again = after(event, answered(event, replace(REPLY, turn=0, sentences=())))
    assert read_lex_event(again, NOW_MS).turn == 1


def test_a_call_that_we_dialled() -> None:
    assert read_lex_event(lex_event(voice_agent_call="call-1"), NOW_MS).our_call_id == "call-1"


@pytest.mark.parametrize("event", [{}, [], None, {"sessionState": {}}, lex_event(turn="x"), lex_event(contact="../")])
def test_what_is_no_code_hook(event: Any) -> None:
    with pytest.raises(InvalidRequest):
        read_lex_event(event, NOW_MS)


@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    for event in (document, {**lex_event(), "sessionState": document}, {**lex_event(), "transcriptions": document}):
        try:
            read_lex_event(event, NOW_MS)
        except InvalidRequest:
            continue


@given(st.lists(st.text(max_size=3000), max_size=20))
def test_every_answer_is_one_that_lex_takes(sentences: list[str]) -> None:
    answer = answered(lex_event(), replace(REPLY, sentences=tuple(sentences), told=len(sentences)))
    assert 1 <= len(answer["messages"]) <= MOST_MESSAGES
    assert all(1 <= len(message["content"]) <= LONGEST_MESSAGE for message in answer["messages"])
    assert all(isinstance(value, str) for value in answer["sessionState"]["sessionAttributes"].values())


def test_a_long_sentence_is_cut_between_words() -> None:
    sentence = "appointment " * 200
    answer = answered(lex_event(), replace(REPLY, sentences=(sentence.strip(),)))
    said = [message["content"] for message in answer["messages"]]
    assert len(said) > 1
    assert {word for piece in said for word in piece.split()} == {"appointment"}
    assert " ".join(said) == sentence.strip()


@pytest.mark.parametrize(("language", "goes_on"), [("en-US", True), ("en", True), ("hi-IN", False), ("es-ES", False)])
def test_an_answer_in_another_language_is_given_by_the_flow(language: str, goes_on: bool) -> None:
    answer = answered(lex_event(), replace(REPLY, language=language))
    state = answer["sessionState"]
    assert state["dialogAction"]["type"] == ("ElicitIntent" if goes_on else "Close")
    if not goes_on:
        attributes = state["sessionAttributes"]
        assert (attributes["next"], attributes["turn"], attributes["told"]) == ("come_again", "1", "0")
        assert attributes["words"] == "move my appointment"
        assert "Which day" not in str(answer["messages"])
