"""What the providers' circuit breakers say and are told, without ever holding up the conversation."""

from __future__ import annotations

import asyncio

from shared.ports.circuit_breakers import CircuitBreakers

_ASKED_WITHIN_S = 0.05


class ProviderHealth:
    """The breakers, as those see them who wait for a provider's answer."""

    def __init__(self, breakers: CircuitBreakers) -> None:
        self._breakers = breakers
        self._notes: set[asyncio.Task[None]] = set()

    async def allows(self, name: str) -> bool:
        """Whether the provider may be asked; a breaker that does not say so at once does not keep us from it."""
        try:
            async with asyncio.timeout(_ASKED_WITHIN_S):
                return await self._breakers.allows(name)
        except TimeoutError:
            return True

    def note(self, name: str, *, succeeded: bool) -> None:
        """How asking it went; written in the background."""
        task = asyncio.create_task(self._breakers.note(name, succeeded=succeeded), name=f"note {name}")
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)
