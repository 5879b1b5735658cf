"""A transfer as text, for who carries it out later: the line that asks us next, or the provider's own handler."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import Transfer, TransferKind


def transfer_text(transfer: Transfer) -> str:
    """As JSON, an object with the transfer's fields."""
    return json.dumps(asdict(transfer), separators=(",", ":"), ensure_ascii=False)


def read_transfer(text: str) -> Transfer:
    """Raises: InvalidRequest for what is no transfer; unknown fields are passed over."""
    try:
        document = json.loads(text)
        known = {name.name: document[name.name] for name in fields(Transfer) if name.name in document}
        return Transfer(**{**known, "kind": TransferKind(known.get("kind", TransferKind.COLD))})
    except (ValueError, TypeError, RecursionError):
        raise InvalidRequest("transfer_malformed", "this is no transfer") from None
