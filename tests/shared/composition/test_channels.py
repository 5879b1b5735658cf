"""What a call's sound is packed in, by its provider."""

from __future__ import annotations

import base64

import pytest

from shared.composition.channels import decoder_of
from shared.domain.telephony.lines import Line, Provider
from shared.ports.live_calls import LiveCall

_TWILIO = (
    b'{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"1","timestamp":"20","payload":"%s"}}'
)
_FRAMES = {
    Provider.TWILIO: _TWILIO % base64.b64encode(b"\xff" * 160),
    Provider.VONAGE: bytes(640),
    Provider.WEB: bytes(1920),
}


@pytest.mark.parametrize("provider", list(_FRAMES))
def test_a_turn_goes_on_in_the_calls_own_time(provider: Provider) -> None:
    """Even where its first frame comes from a stream that began anew."""
    live = LiveCall("call-1", "tenant-1", "nora", provider, "CA1", Line(provider.value))
    assert decoder_of(live, 65_000).decode(_FRAMES[provider]).at_ms >= 65_000
