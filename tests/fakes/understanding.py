"""States of conversations and memories of callers, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.errors import StoreError
from shared.domain.understanding.state import State
from shared.ports.caller_memories import CallerMemory


class FakeConversationStates:
    """Fills the port `ConversationStates`. `down` makes every method fail; `writes` counts those that counted."""

    def __init__(self) -> None:
        self.down = False
        self.writes = 0
        self._states: dict[str, tuple[State, int]] = {}

    async def read(self, call_id: str) -> tuple[State | None, int]:
        self._require_up()
        return self._states.get(call_id, (None, 0))

    async def write(self, call_id: str, state: State, *, revision: int) -> bool:
        self._require_up()
        known, present = self._states.get(call_id, (None, 0))
        if present == revision + 1 and known == state:
            return True
        if present != revision:
            return False
        self.writes += 1
        self._states[call_id] = (state, revision + 1)
        return True

    def _require_up(self) -> None:
        if self.down:
            raise StoreError("fake_down", "the states are down", retryable=True)


class FakeCallerMemories:
    """Fills the port `CallerMemories`."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], CallerMemory] = {}

    async def keep(self, memory: CallerMemory) -> None:
        key = (memory.tenant_id, memory.agent_id, memory.caller)
        known = self.kept.get(key)
        if known is None or known.kept_at <= memory.kept_at:
            self.kept[key] = memory

    async def recall(
        self, tenant_id: str, agent_id: str, callers: Sequence[str], at: datetime
    ) -> CallerMemory | None:
        found = [self.kept.get((tenant_id, agent_id, caller)) for caller in callers]
        alive = [memory for memory in found if memory is not None and memory.forget_at > at]
        return max(alive, key=lambda memory: memory.kept_at, default=None)

    async def forget(self, tenant_id: str, agent_id: str, callers: Sequence[str]) -> None:
        for caller in callers:
            self.kept.pop((tenant_id, agent_id, caller), None)

    async def forget_old(self, at: datetime, *, limit: int) -> int:
        old = sorted((key for key, memory in self.kept.items() if memory.forget_at <= at), key=str)[:limit]
        for key in old:
            del self.kept[key]
        return len(old)
