"""What the flow is told: texts only, never too long, always something that can be played."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.connect.flow_answers import (
    LONGEST_ANSWER_BYTES,
    LONGEST_SPOKEN,
    SILENCE,
    fitting,
    flow_answer,
    mode_of,
    ssml,
)
from shared.adapters.connect.flow_events import read_flow_event
from shared.adapters.connect.polly import polly_voice
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import Line
from shared.domain.telephony.text_turns import Next, TextReply
from tests.shared.adapters.connect.events import flow_event

TURN = read_flow_event(flow_event({"op": "turn", "turn": "3", "words": "Hello.", "mode": "turn"}))
REPLY = TextReply(3, ("Which day?", "Morning or evening?"), 2, Next.LISTEN, "en", "default")


def test_an_answer_that_is_whole() -> None:
    answer = flow_answer(REPLY, TURN)
    assert answer["action"] == "say_and_listen"
    assert answer["text"] == "Which day? Morning or evening?"
    assert answer["ssml"] == "<speak>Which day? Morning or evening?</speak>"
    assert (answer["turn"], answer["told"], answer["mode"]) == ("4", "0", "turn")
    assert (answer["polly_voice"], answer["polly_engine"], answer["polly_language"]) == ("Joanna", "neural", "en-US")


def test_an_answer_that_is_not_whole_is_asked_for_again_with_the_same_turn() -> None:
    answer = flow_answer(replace(REPLY, next=Next.COME_AGAIN), TURN)
    assert (answer["action"], answer["turn"], answer["told"]) == ("come_again", "3", "2")
    assert (answer["op"], answer["words"]) == ("turn", "Hello.")


def test_nothing_to_say_can_be_played() -> None:
    assert flow_answer(replace(REPLY, sentences=(), next=Next.COME_AGAIN), TURN)["ssml"] == SILENCE


def test_a_transfer() -> None:
    transfer = Transfer("+14155550199", keys="1wW2A#", ring_s=30)
    answer = flow_answer(replace(REPLY, next=Next.TRANSFER, transfer=transfer), TURN)
    assert (answer["action"], answer["dest"], answer["ring_s"], answer["dtmf"]) == (
        "transfer", "+14155550199", "30", "1,,,2#",
    )  # fmt: skip


def test_the_end() -> None:
    assert flow_answer(replace(REPLY, next=Next.HANG_UP), TURN)["action"] == "hang_up"


def test_a_long_answer_is_cut_after_a_sentence_and_the_rest_is_asked_for() -> None:
    sentences = tuple(f"Sentence number {number} of an answer that will not end." for number in range(100))
    reply = fitting(replace(REPLY, sentences=sentences, told=100))
    assert reply.next is Next.COME_AGAIN
    assert reply.sentences == sentences[: len(reply.sentences)]
    assert reply.told == len(reply.sentences)
    assert LONGEST_SPOKEN * 0.9 < len(reply.text) <= LONGEST_SPOKEN


def test_a_transfer_waits_for_the_rest_of_what_is_said_before_it() -> None:
    transfer = Transfer("+14155550199")
    reply = replace(REPLY, sentences=("a" * 2000, "b" * 2000), next=Next.TRANSFER, transfer=transfer)
    assert (fitting(reply).next, fitting(reply).transfer) == (Next.COME_AGAIN, None)


def test_markup_in_an_answer_is_words() -> None:
    assert ssml('Say <break time="9s"/> & "go"') == '<speak>Say &lt;break time="9s"/&gt; &amp; "go"</speak>'


@given(st.lists(st.text(max_size=4000), max_size=12), st.sampled_from(Next), st.text(max_size=4000))
def test_every_answer_can_be_taken(sentences: list[str], then: Next, words: str) -> None:
    transfer = Transfer("+14155550199") if then is Next.TRANSFER else None
    reply = replace(REPLY, sentences=tuple(sentences), told=len(sentences), next=then, transfer=transfer)
    answer = flow_answer(reply, replace(TURN, words=words))
    assert all(isinstance(value, str) for value in answer.values())
    assert len(json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")) <= LONGEST_ANSWER_BYTES
    assert answer["ssml"].startswith("<speak>")


@pytest.mark.parametrize(
    ("voice", "language", "name", "code"),
    [
        ("Amy", "en-GB", "Amy", "en-GB"),
        ("amy", "en", "Amy", "en-GB"),
        ("alloy", "de", "Vicki", "de-DE"),
        ("Kajal", "hi-IN", "Kajal", "hi-IN"),
        ("x", "xx", "Joanna", "en-US"),
        ("", "", "Joanna", "en-US"),
        ("Vicki", "fr_FR", "Lea", "fr-FR"),
    ],
)
def test_the_voice_of_an_agent(voice: str, language: str, name: str, code: str) -> None:
    chosen = polly_voice(voice, language)
    assert (chosen.name, chosen.language) == (name, code)


def test_the_mode_is_the_numbers() -> None:
    assert (mode_of(Line.CONNECT), mode_of(Line.CONNECT_LEX)) == ("turn", "lex")


def test_joiners_are_part_of_a_word() -> None:
    """Hindi, Malayalam and Persian are written with them; a document is spoilt by what XML cannot hold only."""
    words = "क्\u200dष न\u200cही \u0d23\u0d4d\u200d"
    assert ssml(f"{words}\x00\x1b\ufffe\ud83d") == f"<speak>{words}</speak>"
