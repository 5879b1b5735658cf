"""Who the carrier's customer is, and the identifiers that the carrier makes up."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

API_VERSION: Final = "2010-04-01"
_ACCOUNT_SID: Final = re.compile(r"AC[0-9a-f]{32}")


@dataclass(frozen=True)
class Account:
    """A carrier account: its id and the secret with which the carrier signs."""

    sid: str
    auth_token: str
    shared_keys: Mapping[str, str] = field(default_factory=dict)
    """Ids and secrets of keys with which requests may be signed instead of the token."""
    name: str = ""
    owner_sid: str = ""
    """The account that this one belongs to; empty for the account itself."""

    def __post_init__(self) -> None:
        if not _ACCOUNT_SID.fullmatch(self.sid):
            raise ValueError("an account SID is AC and 32 lower-case hexadecimal digits")
        if not self.auth_token:
            raise ValueError("the auth token is empty")


def new_sid(prefix: str) -> str:
    """`prefix` and 32 hexadecimal digits: CA for calls, MZ for streams."""
    return prefix + secrets.token_hex(16)
