"""Who holds this bearer token."""

from __future__ import annotations

from typing import Protocol

from shared.domain.principal import Principal


class TokenValidator(Protocol):
    async def validate(self, token: str) -> Principal:
        """Check signature, issuer, audience, lifetime and kind of an access token.

        Raises: Unauthenticated with a code that says what is wrong (`token_expired`, `token_audience`,
        `token_signature`, …), never the token itself; StoreError if the issuer's keys cannot be fetched.
        """
        ...

    async def ping(self) -> None:
        """Raises: StoreError if the issuer's metadata or keys cannot be had."""
        ...
