"""Small notes that some workers write and others need for as long as a call may last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ShortMemory(Protocol):
    """Raises `StoreError` (retryable) when the store does not answer in time. All of it expires by itself."""

    async def note(self, name: str, facts: Mapping[str, str], *, lifetime_s: int | None = None) -> None:
        """Add facts under a name; one that stands there already is replaced. `lifetime_s`: after which all under that
        name is forgotten, where that is sooner than the longest call's end.
        """
        ...

    async def facts(self, name: str) -> Mapping[str, str]:
        """All that is noted under a name; empty where nothing is, or not any more."""
        ...
