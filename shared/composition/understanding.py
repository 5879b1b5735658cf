"""The part of composition for what conversations have come to, and what is remembered of their callers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from shared.adapters.aes_gcm.vault import AesGcmVault, read_keys
from shared.adapters.postgres.caller_memories import PostgresCallerMemories
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.redis.connection import RedisConnection
from shared.adapters.redis.conversation_states import RedisConversationStates
from shared.domain.ledger import Cost
from shared.domain.steps import TurnRequest
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.language_model import LanguageModel, Usage
from shared.ports.live_calls import LiveCalls
from shared.settings import Settings
from shared.use_cases.thinking.keep_usage import KeepUsage
from shared.use_cases.understanding.remember_callers import RememberCallers
from shared.use_cases.understanding.show_state import ShowState
from shared.use_cases.understanding.understand import Understand


@dataclass(frozen=True)
class Understanding:
    """Each part is made when it is first used."""

    settings: Settings
    pool: PostgresPool
    redis: RedisConnection
    call_store: CallStore
    live_calls: LiveCalls
    directory: Directory
    model: Callable[[], LanguageModel]
    clock: Clock
    keep_usage: KeepUsage

    @cached_property
    def states(self) -> RedisConversationStates:
        return RedisConversationStates(self.redis)

    @cached_property
    def remember(self) -> RememberCallers:
        """Callers are known under keys that are derived from those under which things are sealed."""
        keys = read_keys(self.settings.sealing_keys)
        return RememberCallers(
            memories=PostgresCallerMemories(self.pool),
            states=self.states,
            call_store=self.call_store,
            directory=self.directory,
            vault=AesGcmVault(keys),
            clock=self.clock,
            keys=[hmac.new(key, b"who calls", hashlib.sha256).digest() for key in keys.values()],
        )

    @cached_property
    def show(self) -> ShowState:
        return ShowState(self.states, self.directory)

    @cached_property
    def understand(self) -> Understand:
        return Understand(
            states=self.states,
            live_calls=self.live_calls,
            directory=self.directory,
            language_model=self.model(),
            clock=self.clock,
            remember=self.remember,
            count=self._count,
        )

    async def _count(self, request: TurnRequest, used: Usage) -> None:
        """What understanding costs belongs to its turn, as what the answer does."""
        self.keep_usage.note(request.tenant_id, [used])
        costs = {Cost.INPUT_TOKENS: float(used.input_tokens), Cost.OUTPUT_TOKENS: float(used.output_tokens)}
        await self.live_calls.count(request.call_id, request.turn, costs)
