"""What a line is said to do, its provider's control does; what it cannot is refused, with an alternative."""

from __future__ import annotations

import pytest

from shared.adapters.connect.call_control import ConnectCallControl
from shared.adapters.sarvam.call_control import SamvaadCallControl
from shared.adapters.twilio.call_control import TwilioCallControl
from shared.adapters.vonage.call_control import VonageCallControl
from shared.domain.telephony.lines import CAPABILITIES, Capability, Line, Provider, Unsupported, require

COMMANDS = frozenset(
    {
        *(Capability.HANG_UP, Capability.COLD_TRANSFER, Capability.WARM_TRANSFER, Capability.KEYS_OUT),
        *(Capability.OUTBOUND, Capability.RECORDING, Capability.VOICEMAIL_DETECTION),
    }
)
BY_THE_NEXT_ANSWER = frozenset({Capability.HANG_UP, Capability.COLD_TRANSFER, Capability.WARM_TRANSFER})
"""What a line that asks us for each turn is told in the answer to its next question."""
CONTROLS = {
    Provider.TWILIO: TwilioCallControl.capabilities,
    Provider.VONAGE: VonageCallControl.capabilities,
    Provider.CONNECT: ConnectCallControl.capabilities,
    Provider.SARVAM: SamvaadCallControl.capabilities,
}
LINES = [line for line in Line if line.provider in CONTROLS]


@pytest.mark.parametrize("line", LINES)
def test_what_the_control_can_do_the_line_can(line: Line) -> None:
    assert CONTROLS[line.provider] <= CAPABILITIES[line]


@pytest.mark.parametrize("line", LINES)
def test_what_the_line_can_do_somebody_does(line: Line) -> None:
    by_turn = BY_THE_NEXT_ANSWER if Capability.TEXT_TURNS in CAPABILITIES[line] else frozenset()
    assert CAPABILITIES[line] & (COMMANDS | {Capability.IDEMPOTENT_DIAL}) <= CONTROLS[line.provider] | by_turn


@pytest.mark.parametrize(
    ("line", "command"), [(line, command) for line in Line for command in sorted(COMMANDS - CAPABILITIES[line])]
)
def test_what_a_line_cannot_do_is_refused_with_what_can_be_done_instead(line: Line, command: Capability) -> None:
    with pytest.raises(Unsupported) as error:
        require(line, command)
    assert error.value.alternative
    assert error.value.message == f"{line} has no {command}; instead: {error.value.alternative}"
