"""A connect names a number of ours that can be one, or leaves the choice to Vonage: it refuses the whole NCCO else.

Source: `connect` of https://developer.vonage.com/en/voice/voice-api/ncco-reference
"""

from __future__ import annotations

import pytest

from shared.adapters.vonage.ncco import MediaSocket, NccoWriter
from shared.adapters.vonage.own_links import OwnLinks
from shared.domain.telephony.commands import Transfer
from tests.shared.adapters.vonage.signed import LEG

WRITER = NccoWriter(OwnLinks("https://voice.example.com", "s" * 32))


@pytest.mark.parametrize(
    ("own_number", "expected"),
    [
        ("+447700900000", {"from": "447700900000"}),
        ("447700900000", {"from": "447700900000"}),
        ("", {"randomFromNumber": True}),
        ("unknown", {"randomFromNumber": True}),
        ("+", {"randomFromNumber": True}),
        ("0123456789", {"randomFromNumber": True}),
        ("sip:nora@example.com", {"randomFromNumber": True}),
    ],
)
def test_who_is_shown(own_number: str, expected: dict[str, object]) -> None:
    socket = MediaSocket("wss://media.example.com/v", "token", "ticket")
    connects = [
        *WRITER.connect_socket(socket, leg=LEG, own_number=own_number),
        *WRITER.transfer(Transfer("+447700900001"), leg=LEG, own_number=own_number),
    ]
    for connect in connects:
        assert {name: connect[name] for name in ("from", "randomFromNumber") if name in connect} == expected
