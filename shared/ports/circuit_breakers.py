"""Which providers are not worth asking just now, known to all workers."""

from __future__ import annotations

from typing import Protocol


class CircuitBreakers(Protocol):
    """One breaker per provider and step, named like `llm:azure_openai`. After some failures in a row it opens for
    a while, in which nobody asks; then one request is let through, and its outcome decides. None of it raises: a
    store that is away leaves all breakers closed.
    """

    async def allows(self, name: str) -> bool:
        """Whether the provider may be asked now."""
        ...

    async def note(self, name: str, *, succeeded: bool) -> None:
        """How asking it went."""
        ...
