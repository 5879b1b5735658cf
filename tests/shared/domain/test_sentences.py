"""A text comes in tokens and leaves in sentences, wherever the tokens were torn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.sentences import SENTENCE_ENDS, SentenceSplitter, ends_sentence

_DROPPED = f"{SENTENCE_ENDS}…\"')]”’」"


def split(*tokens: str) -> list[str]:
    splitter = SentenceSplitter()
    return [sentence for token in tokens for sentence in splitter.feed(token)] + splitter.flush()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   \n ", []),
        ("Hello", ["Hello"]),
        ("Hello there. How are you?", ["Hello there.", "How are you?"]),
        ("Yes! No? Maybe.", ["Yes!", "No?", "Maybe."]),
        ("Really?! I see.", ["Really?!", "I see."]),
        ("Well... Let me look.", ["Well...", "Let me look."]),
        ("Well… Let me look.", ["Well…", "Let me look."]),
        ("It costs 3.50 euros today.", ["It costs 3.50 euros today."]),
        ("You have 5. That is all.", ["You have 5.", "That is all."]),
        ("Version 1.2.3 is out. Take it.", ["Version 1.2.3 is out.", "Take it."]),
        ("Dr. Smith and Mrs. Jones are here. Come in.", ["Dr. Smith and Mrs. Jones are here.", "Come in."]),
        ("We open at 9 a.m. on weekdays.", ["We open at 9 a.m. on weekdays."]),
        ("Thanks. Bring fruit, e.g. apples.", ["Thanks.", "Bring fruit, e.g. apples."]),
        ("Sure, I can help. Well, yes.", ["Sure,", "I can help.", "Well, yes."]),
        ("One moment: I look. Done.", ["One moment:", "I look.", "Done."]),
        ("It costs 1,000 euros, sir.", ["It costs 1,000 euros,", "sir."]),
        ("We open at 10:30 today.", ["We open at 10:30 today."]),
        ("It is late. Sorry, bye.", ["It is late.", "Sorry, bye."]),
        (", well", ["well"]),
        (f"{'long ' * 20}clause, no.", [f"{'long ' * 20}clause, no."]),
        ("The U.S. office is closed. Call later.", ["The U.S. office is closed.", "Call later."]),
        ("J. Doe called. Call back.", ["J. Doe called.", "Call back."]),
        ("See www.example.com for more. Bye.", ["See www.example.com for more.", "Bye."]),
        ('She said "Stop." Then she left.', ['She said "Stop."', "Then she left."]),
        ("(It is late.) Good night.", ["(It is late.)", "Good night."]),
        ("“Really?” he asked.", ["“Really?”", "he asked."]),
        ("नमस्ते। आप कैसे हैं?", ["नमस्ते।", "आप कैसे हैं?"]),
        ("मैं ठीक हूँ।धन्यवाद।", ["मैं ठीक हूँ।", "धन्यवाद।"]),
        ("श्लोक पहला॥श्लोक दूसरा॥", ["श्लोक पहला॥", "श्लोक दूसरा॥"]),
        ("हाँ?।ठीक है।", ["हाँ?।", "ठीक है।"]),
        ("आपका बिल 3.50 रुपये है। ठीक?", ["आपका बिल 3.50 रुपये है।", "ठीक?"]),
        ("您好。请问您要什么？好的！", ["您好。", "请问您要什么？", "好的！"]),
        ("はい、分かりました。少々お待ちください。", ["はい、", "分かりました。", "少々お待ちください。"]),
        ("「はい。」と言いました。", ["「はい。」", "と言いました。"]),
        ("جی ہاں۔ آپ کا نام کیا ہے؟ شکریہ۔", ["جی ہاں۔", "آپ کا نام کیا ہے؟", "شکریہ۔"]),
        ("نعم، لحظة. كيف حالك؟ جيد!", ["نعم،", "لحظة.", "كيف حالك؟", "جيد!"]),
        ("One line\nwithout a mark", ["One line\nwithout a mark"]),
        ("Hello. ... Go on.", ["Hello.", "Go on."]),
        ("!!! ?", []),
        ("1. First. 2. Second.", ["1. First.", "2. Second."]),
    ],
)
def test_whole_text(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    ("tokens", "first"),
    [
        (["Hello", " there", "."], "Hello there."),
        (["Is it", " you?"], "Is it you?"),
        (["ठीक", " है", "।"], "ठीक है।"),
        (["好", "的", "。"], "好的。"),
        (["کیا", " حال", "؟"], "کیا حال؟"),
    ],
)
def test_a_sentence_leaves_with_its_last_token(tokens: list[str], first: str) -> None:
    splitter = SentenceSplitter()
    assert [splitter.feed(token) for token in tokens] == [*([[]] * (len(tokens) - 1)), [first]]


def test_the_first_clause_leaves_with_its_last_token() -> None:
    splitter = SentenceSplitter()
    assert [splitter.feed(token) for token in ("Sure", ",", " I", " can.")] == [[], ["Sure,"], [], ["I can."]]


def test_a_comma_after_a_digit_may_go_on() -> None:
    splitter = SentenceSplitter()
    assert [splitter.feed(token) for token in ("It costs 1", ",", "000", " euros", ".")][-1] == [
        "It costs 1,000 euros."
    ]


@pytest.mark.parametrize(
    "tokens", [["It costs 3", ".", "50 now."], ["It costs 3.", "5", "0 now."], ["Dr", ".", " No"]]
)
def test_a_dot_that_may_go_on_waits(tokens: list[str]) -> None:
    splitter = SentenceSplitter()
    assert [splitter.feed(token) for token in tokens[:-1]] == [[]] * (len(tokens) - 1)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["Wait", ".", ".", ".", " Go."], ["Wait.", "Go."]),
        (["Really?", "!", " Yes."], ["Really?", "Yes."]),
        (['He said "Go.', '"', " Then left."], ['He said "Go.', "Then left."]),
        (["Done.", ")"], ["Done."]),
        (["好。", "」", "再见。"], ["好。", "再见。"]),
    ],
)
def test_marks_that_come_late_are_never_sentences(tokens: list[str], expected: list[str]) -> None:
    assert split(*tokens) == expected


_WORDS = st.sampled_from(
    [
        "hello",
        "Dr. Who",
        "3.50",
        "12.5",
        "a.m.",
        "U.S.",
        "order",
        "नमस्ते",
        "it's",
        "(yes)",
        "e.g. this",
        "N",
        "7",
        "“so”",
    ]
)
_SENTENCES = st.lists(
    st.tuples(
        st.lists(_WORDS, min_size=1, max_size=5),
        st.sampled_from([".", "!", "?", "।", "...", "?!", '."', ".)", "…", "॥", "。", "？", "۔", "؟", "。」"]),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("text", ["Yes.", "हाँ।", "好。", "ہاں۔", "Why?", "为什么？"])
def test_a_whole_sentence_is_told_from_a_clause(text: str) -> None:
    assert ends_sentence(text)
    for comma in (",", "、", "，", "،", ":"):
        assert not ends_sentence(f"{text[:-1]}{comma}")


@given(_SENTENCES, st.data())
def test_any_tokens_give_the_same_sentences(parts: list[tuple[list[str], str]], data: st.DataObject) -> None:
    text = " ".join(" ".join([*words, "word"]) + mark for words, mark in parts)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=len(text))))
    tokens = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert _bare(split(*tokens)) == _bare(split(text))


@given(st.lists(st.text(max_size=12), max_size=30))
def test_nothing_that_can_be_said_is_lost(tokens: list[str]) -> None:
    sentences = split(*tokens)
    assert all(sentence and sentence == sentence.strip() for sentence in sentences)
    assert _letters("".join(sentences)) == _letters("".join(tokens))


def _bare(sentences: list[str]) -> list[str]:
    """Without the marks that are dropped when they come after the sentence has gone out."""
    return [sentence.rstrip(_DROPPED) for sentence in sentences]


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
