"""A lost dial is never taken for another one, and keys that Vonage has not are refused in a transfer as well."""

from __future__ import annotations

import pytest

from shared.adapters.vonage.leg_notes import LegNotes
from shared.domain.errors import InvalidRequest, TelephonyError
from shared.domain.telephony.commands import Dial, Transfer
from tests.shared.adapters.vonage.signed import LEG, OTHER_LEG
from tests.shared.adapters.vonage.test_call_control import DIAL, Vonage, call, listed


@pytest.fixture
def vonage(monkeypatch: pytest.MonkeyPatch) -> Vonage:
    return Vonage(monkeypatch)


async def test_of_several_that_can_be_it_none_is_taken(vonage: Vonage) -> None:
    vonage.answers["GET", "/v1/calls"] = listed(call(LEG), call(OTHER_LEG))
    for dial in (DIAL, Dial("attempt-2", "call-2", DIAL.to, DIAL.caller_id)):
        with pytest.raises(TelephonyError) as error:
            await vonage.control.find_dialled(dial)
        assert (error.value.code, error.value.retryable) == ("dial_ambiguous", True)
        assert await vonage.legs.leg_of(dial.call_id) == ""


async def test_once_one_of_them_has_told_whose_it_is_the_other_is_known(vonage: Vonage) -> None:
    vonage.answers["GET", "/v1/calls"] = listed(call(LEG), call(OTHER_LEG))
    await vonage.legs.note(LEG, LegNotes("call-2"))
    assert await vonage.control.find_dialled(DIAL) == OTHER_LEG


async def test_keys_that_vonage_has_not_are_refused_before_anybody_is_put_through(vonage: Vonage) -> None:
    await vonage.legs.note(LEG, LegNotes("call-1", "CON-1", "+442079460000"))
    with pytest.raises(InvalidRequest) as error:
        await vonage.control.transfer(LEG, Transfer("+447700900002", keys="ww1A#"))
    assert error.value.code == "keys_unsendable"
    assert vonage.asked == []
