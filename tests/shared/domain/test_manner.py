"""An agent's manner comes back from JSON as it went in, and what cannot be is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.manner import Delegate, HandOver, Manner, Sensitivity
from shared.domain.telephony.commands import TransferKind

RULE = {"key": "0", "to": "+14155550188"}


@pytest.mark.parametrize(
    "manner",
    [
        Manner(),
        Manner(sensitivity=Sensitivity.LOW, fillers=("One moment.",), speculates=False, race_after_ms=0),
        Manner(hand_over=HandOver("#", "+14155550188", TransferKind.WARM)),
        Manner(languages=("en", "hi-IN")),
        Manner(hand_over_numbers=("+14155550100", "+4930123456")),
        Manner(recording_consent="This call is recorded."),
        Manner(delegate=Delegate("samvaad", "clinic-desk", 7)),
        Manner(delegate=Delegate("samvaad", "clinic-desk")),
    ],
)
def test_there_and_back(manner: Manner) -> None:
    assert Manner.from_json(manner.to_json()) == manner


def test_a_key_for_a_person() -> None:
    assert Manner.from_json({"hand_over": RULE}).hand_over == HandOver("0", "+14155550188", TransferKind.COLD)
    assert Manner.from_json({"hand_over": {**RULE, "kind": "warm"}}).hand_over == HandOver(
        "0", "+14155550188", TransferKind.WARM
    )
    assert Manner.from_json({"hand_over": None}).hand_over is None


@pytest.mark.parametrize(
    "rule",
    [
        "0",
        {},
        {"key": "0"},
        {"key": 0, "to": "+14155550188"},
        {**RULE, "key": "A"},
        {**RULE, "key": "00"},
        {**RULE, "key": ""},
        {**RULE, "to": "4155550188"},
        {**RULE, "kind": "hot"},
        {**RULE, "kind": []},
    ],
)
def test_a_rule_that_makes_no_sense(rule: Any) -> None:
    with pytest.raises(InvalidRequest, match="hand_over"):
        Manner.from_json({"hand_over": rule})


@pytest.mark.parametrize("numbers", ["+14155550100", ["4155550100"], [1], [""], ["+14155550100"] * 51, None])
def test_numbers_of_persons_that_make_no_sense(numbers: Any) -> None:
    with pytest.raises(InvalidRequest, match="hand_over_numbers"):
        Manner.from_json({"hand_over_numbers": numbers})


def test_whom_an_administrator_has_named_is_trusted() -> None:
    manner = Manner.from_json(
        {"hand_over": {"key": "0", "to": "+14155550100"}, "hand_over_numbers": ["+14155550101", "+4930123456"]}
    )
    named = ("+14155550100", "+14155550101", "+4930123456", "+14155550102", "+1415555010", "")
    assert [manner.trusts(number) for number in named] == [True, True, True, False, False, False]
    assert not Manner().trusts("")


@pytest.mark.parametrize("languages", ["hi", ["hindi language"], [1], [""], ["hi"] * 26, None])
def test_languages_that_make_no_sense(languages: Any) -> None:
    with pytest.raises(InvalidRequest, match="languages"):
        Manner.from_json({"languages": languages})


@pytest.mark.parametrize(
    "delegate",
    [
        "samvaad",
        {},
        {"samvaad": {}},
        {"samvaad": "desk"},
        {"other": {"app_id": "desk"}},
        {"samvaad": {"app_id": "a b"}},
        {"samvaad": {"app_id": "desk", "version": "7"}},
        {"samvaad": {"app_id": "desk", "version": True}},
        {"samvaad": {"app_id": "desk"}, "other": {}},
    ],
)
def test_a_delegate_that_makes_no_sense(delegate: Any) -> None:
    with pytest.raises(InvalidRequest, match="delegate"):
        Manner.from_json({"delegate": delegate})


@pytest.mark.parametrize("consent", [5, None, ["x"], "x" * 501])
def test_a_consent_that_makes_no_sense(consent: Any) -> None:
    with pytest.raises(InvalidRequest, match="recording_consent"):
        Manner.from_json({"recording_consent": consent})
