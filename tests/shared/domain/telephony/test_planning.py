"""A transfer that its line would carry out only in part is refused, with what to do instead."""

from __future__ import annotations

import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.lines import Capability, Line, Unsupported
from shared.domain.telephony.planning import capability_for

TO = "+14155550100"


@pytest.mark.parametrize(
    ("line", "transfer", "capability"),
    [
        (Line.TWILIO, Transfer(TO, keys="12A"), Capability.COLD_TRANSFER),
        (Line.TWILIO, Transfer(TO, TransferKind.WARM, whisper="A caller."), Capability.WARM_TRANSFER),
        (Line.VONAGE_INPUT, Transfer(TO, keys="1w2#"), Capability.COLD_TRANSFER),
        (Line.CONNECT, Transfer(TO, keys="1*"), Capability.COLD_TRANSFER),
        (Line.SARVAM, Transfer(TO), Capability.COLD_TRANSFER),
    ],
)
def test_what_a_line_can_carry_out(line: Line, transfer: Transfer, capability: Capability) -> None:
    assert capability_for(line, transfer) is capability


@pytest.mark.parametrize(
    ("line", "transfer", "what"),
    [
        (Line.SARVAM, Transfer(TO, keys="1"), "keys"),
        (Line.SARVAM, Transfer(TO, whisper="A caller."), "whisper"),
        (Line.VONAGE, Transfer(TO, keys="1A"), "keys A to D"),
        (Line.VONAGE_INPUT, Transfer(TO, keys="D"), "keys A to D"),
        (Line.CONNECT_LEX, Transfer(TO, keys="B2"), "keys A to D"),
    ],
)
def test_what_it_would_drop(line: Line, transfer: Transfer, what: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{line} has no {what}.*; instead: ") as refused:
        capability_for(line, transfer)
    assert refused.value.code == "unsupported"


def test_what_it_cannot_do_at_all() -> None:
    with pytest.raises(Unsupported):
        capability_for(Line.CONNECT, Transfer(TO, TransferKind.WARM))
