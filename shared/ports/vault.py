"""Keeps secrets in places that others can read: sealed under keys that stand elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sealed:
    """Only who has the key `key_id` can read `content`, or change it without being noticed."""

    key_id: str
    content: bytes


class Vault(Protocol):
    """Each text has a data key of its own, which is sealed under the vault's present key. `purpose` says what a text
    is and whose; it is not kept with it, and has to be the same when it is opened.

    Raises `StoreError` from every method: `vault_closed` where no keys are set up, `vault_key_unknown` for a key that
    is gone, `vault_damaged` for what was not sealed so.
    """

    @property
    def key_id(self) -> str:
        """Of the present key; "" where no keys are set up."""
        ...

    async def seal(self, plain: bytes, *, purpose: str) -> Sealed: ...

    async def unseal(self, sealed: Sealed, *, purpose: str) -> bytes: ...

    async def reseal(self, sealed: Sealed, *, purpose: str) -> Sealed:
        """The same content, its data key under the present key."""
        ...
