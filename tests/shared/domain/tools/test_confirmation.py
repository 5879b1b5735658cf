"""What cannot be undone needs the caller's own yes, to just this, after it was asked."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.tools.confirmation import Pending, Verdict, fingerprint, judge, words_of

ASKED = fingerprint("cancel", {"order": 7, "why": "late"})
PENDING = Pending(ASKED, turn=4)


def verdict(
    pending: Pending | None = PENDING, asked: str = ASKED, *, turn: int = 5, key: str = "k", **more: Any
) -> Verdict:
    return judge(pending, asked, turn=turn, key=key, **{"heard": ["cancel my order", "yes"], "language": "en"} | more)


def test_the_same_thing_has_the_same_fingerprint_in_whichever_order() -> None:
    assert fingerprint("cancel", {"why": "late", "order": 7}) == ASKED
    assert fingerprint("cancel", {"why": "late", "order": 8}) != ASKED
    assert fingerprint("refund", {"why": "late", "order": 7}) != ASKED


def test_a_yes_after_the_question_does_it() -> None:
    assert verdict() is Verdict.DO


@pytest.mark.parametrize(
    "more",
    [
        {"pending": None},
        {"asked": fingerprint("cancel", {"order": 8})},
        {"turn": 4},
        {"turn": 3},
        {"turn": 8, "heard": ["hm", "hm", "hm", "yes"]},
        {"heard": []},
        {"turn": 6, "heard": ["yes"]},
        {"pending": Pending(ASKED, 4, done_by="another key")},
    ],
)
def test_without_a_question_that_fits_the_caller_is_asked(more: dict[str, Any]) -> None:
    assert verdict(**more) is Verdict.ASK


@pytest.mark.parametrize("heard", [["yes", "no"], ["yes", "yes but tomorrow"], ["yes", "what?"], ["yes", ""]])
def test_a_yes_before_the_question_counts_for_nothing(heard: list[str]) -> None:
    assert verdict(heard=heard) is Verdict.REFUSED


def test_a_question_between_may_be_asked_but_no_refusal() -> None:
    assert verdict(turn=6, heard=["cancel it", "what was the number again", "yes"]) is Verdict.DO
    assert verdict(turn=6, heard=["cancel it", "no", "yes"]) is Verdict.REFUSED


def test_a_yes_may_repeat_what_it_is_about_and_nothing_else() -> None:
    about = words_of("cancel_order", {"order": 7, "day": "Tuesday"})
    for words, expected in (
        ("yes, cancel order 7", Verdict.DO),
        ("yes please cancel the order on Tuesday", Verdict.REFUSED),
        ("yes, cancel order 8", Verdict.REFUSED),
        ("cancel order 7", Verdict.REFUSED),
        ("yes, don't cancel order 7", Verdict.REFUSED),
    ):
        assert verdict(heard=["cancel it", words], about=about) is expected, words


def test_a_yes_is_used_up_but_not_by_the_same_request_again() -> None:
    used = Pending(ASKED, 4, done_by="k")
    assert verdict(used, key="k") is Verdict.DO
    assert verdict(used, key="k2") is Verdict.ASK
