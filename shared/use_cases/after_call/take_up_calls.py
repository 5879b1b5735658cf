"""Calls whose end nobody has followed: the worker that should have begun it was lost, or they ended without one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.ports.after_call_records import RetentionStore
from shared.ports.clock import Clock
from shared.ports.webhooks import AfterCallOrchestrations

_FOLLOWED_WITHIN = timedelta(minutes=10)
_PORTION = 100


@dataclass(frozen=True, slots=True)
class TakeUpCalls:
    store: RetentionStore
    clock: Clock

    async def __call__(self, orchestrations: AfterCallOrchestrations) -> int:
        """Gives how many; what is being followed already goes on as it is. Raises: StoreError."""
        found = await self.store.unfinished(self.clock.now() - _FOLLOWED_WITHIN, limit=_PORTION)
        for request in found:
            await orchestrations.start_after_call(request)
        return len(found)
