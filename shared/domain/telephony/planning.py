"""What a transfer asks of its line beyond the transfer itself: what would be dropped on the way is refused before."""

from __future__ import annotations

import re

from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.lines import Capability, Line, Provider, require

_NEEDS = {TransferKind.COLD: Capability.COLD_TRANSFER, TransferKind.WARM: Capability.WARM_TRANSFER}
_LETTERS = re.compile("[A-D]")
_SENDS_NO_LETTERS = frozenset({Provider.VONAGE, Provider.CONNECT})


def capability_for(line: Line, transfer: Transfer) -> Capability:
    """Which of the line's capabilities carries it out. Raises: Unsupported, InvalidRequest with an alternative."""
    capability = _NEEDS[transfer.kind]
    require(line, capability)
    if line.provider is Provider.SARVAM:
        if transfer.keys:
            raise _unsupported(line, "keys with a transfer", "the person's number with its extension dialled by hand")
        if transfer.whisper:
            raise _unsupported(line, "whisper", "the transfer message of the Samvaad agent")
    if line.provider in _SENDS_NO_LETTERS and _LETTERS.search(transfer.keys):
        raise _unsupported(line, "keys A to D with a transfer", "digits, * and #")
    return capability


def _unsupported(line: Line, what: str, instead: str) -> InvalidRequest:
    return InvalidRequest("unsupported", f"{line} has no {what}; instead: {instead}")
