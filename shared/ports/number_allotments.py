"""Which tenant each number belongs to, as whoever runs the installation says."""

from __future__ import annotations

from typing import Protocol

from shared.domain.telephony.lines import Provider
from shared.domain.telephony.routes import Allotment


class NumberAllotments(Protocol):
    """Raises `StoreError` when the store does not answer in time."""

    async def all(self) -> list[Allotment]:
        """Of all tenants, by number, then by provider."""
        ...

    async def put(self, allotment: Allotment) -> bool:
        """Whether it is new. Where the number was another tenant's, nobody answers on it any more.

        Raises: NotFound for an unknown tenant.
        """
        ...

    async def delete(self, provider: Provider, number: str) -> bool:
        """It is nobody's, and nobody answers on it any more. False if it was nobody's before."""
        ...
