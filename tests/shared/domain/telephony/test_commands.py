"""A command that no provider could carry out is refused where it is made."""

from __future__ import annotations

import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import Dial, SendKeys, Transfer, is_e164


@pytest.mark.parametrize("number", ["+14155550100", "+918000000001", "+2901234"])
def test_numbers_that_can_be_dialled(number: str) -> None:
    assert is_e164(number)


@pytest.mark.parametrize(
    "number", ["", "14155550100", "+0123456789", "+1234567890123456", "+1 415", "sip:a@b", "+12345\n"]
)
def test_numbers_that_cannot(number: str) -> None:
    assert not is_e164(number)


def test_a_transfer_goes_to_a_number() -> None:
    with pytest.raises(InvalidRequest, match=r"E\.164"):
        Transfer("4155550100")


@pytest.mark.parametrize("ring_s", [4, 121])
def test_a_transfer_rings_for_a_while(ring_s: int) -> None:
    with pytest.raises(InvalidRequest, match="ring_s"):
        Transfer("+14155550100", ring_s=ring_s)


@pytest.mark.parametrize("longest_s", [-1, 59, 14_401])
def test_a_transfer_lasts_for_a_while(longest_s: int) -> None:
    with pytest.raises(InvalidRequest, match="longest_s"):
        Transfer("+14155550100", longest_s=longest_s)


def test_a_transfer_whispers_briefly() -> None:
    with pytest.raises(InvalidRequest, match="whisper"):
        Transfer("+14155550100", whisper="x" * 501)


@pytest.mark.parametrize("keys", ["", "12x", "1" * 33, "1 2"])
def test_keys_are_keys(keys: str) -> None:
    with pytest.raises(InvalidRequest, match="keys"):
        SendKeys(keys)


def test_keys_of_a_transfer_are_keys_too() -> None:
    with pytest.raises(InvalidRequest, match="keys"):
        Transfer("+14155550100", keys="call me")


def test_a_dial_names_two_numbers() -> None:
    with pytest.raises(InvalidRequest, match=r"E\.164"):
        Dial("attempt", "call", to="+14155550100", caller_id="anonymous")
