"""What may happen once only, whichever worker it comes to: the ids of signed requests."""

from __future__ import annotations

from typing import Protocol


class Once(Protocol):
    """Raises `StoreError` (retryable) when the store does not answer in time."""

    async def take(self, name: str, *, lifetime_s: int) -> bool:
        """True the first time within `lifetime_s` seconds, and False from then on."""
        ...

    async def give_back(self, name: str) -> None:
        """It did not happen after all: the next one is the first again."""
        ...
