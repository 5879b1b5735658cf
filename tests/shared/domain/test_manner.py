"""Whom an agent may put callers through to."""

from __future__ import annotations

from shared.domain.manner import HandOver, Manner


def test_whom_an_administrator_has_named_is_trusted() -> None:
    manner = Manner(hand_over=HandOver("0", "+14155550100"), hand_over_numbers=("+14155550101", "+4930123456"))
    named = ("+14155550100", "+14155550101", "+4930123456", "+14155550102", "+1415555010", "")
    assert [manner.trusts(number) for number in named] == [True, True, True, False, False, False]
    assert not Manner().trusts("")
