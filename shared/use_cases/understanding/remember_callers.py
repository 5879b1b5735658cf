"""What a call was about is kept for a while after it, so that the same caller can go on with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.call import Agent, Call
from shared.domain.errors import StoreError
from shared.domain.understanding.callers import caller_keys, party_of
from shared.domain.understanding.flow import at_home
from shared.domain.understanding.state import State, state_of
from shared.ports.call_store import CallStore
from shared.ports.caller_memories import CallerMemories, CallerMemory
from shared.ports.clock import Clock
from shared.ports.conversation_states import ConversationStates
from shared.ports.directory import Directory
from shared.ports.vault import Vault

logger = logging.getLogger(__name__)

_UNDERSTOOD_WITHIN_MS = 12_000
_LOOKS_EVERY_MS = 250
_PORTION = 500
_MOST_PORTIONS = 20


@dataclass(frozen=True, slots=True)
class RememberCallers:
    """`keys`: of this installation, under which callers are known, the present one first; none: nobody is."""

    memories: CallerMemories
    states: ConversationStates
    call_store: CallStore
    directory: Directory
    vault: Vault
    clock: Clock
    keys: Sequence[bytes]

    async def keep(self, tenant_id: str, call_id: str) -> None:
        """A call is over. Run again it changes nothing more; what cannot be kept is forgotten."""
        try:
            await self._keep(tenant_id, call_id)
        except StoreError as error:
            logger.warning("call %s: what it was about is not remembered: %s", call_id, error)

    async def _keep(self, tenant_id: str, call_id: str) -> None:
        state, _ = await self.states.read(call_id)
        if state is None:
            return
        call = await self.call_store.get(tenant_id, call_id)
        agent = await self._agent(call) if call else None
        if call is None or agent is None:
            return
        callers = self._callers(call)
        if not callers or not agent.memory_hours:
            return
        state = await self._at_last(call, state)
        if not (state.intent or state.slots):
            return
        now = self.clock.now()
        document = json.dumps(state.to_json()).encode()
        memory = CallerMemory(
            tenant_id,
            call.agent_id,
            callers[0],
            call_id,
            await self.vault.seal(document, purpose=_purpose(tenant_id, call.agent_id, callers[0])),
            kept_at=now,
            forget_at=now + timedelta(hours=agent.memory_hours),
        )
        await self.memories.keep(memory)

    async def _at_last(self, call: Call, state: State) -> State:
        """With the caller's last words in it, which are still being understood where he hung up after them."""
        last = max((turn.number for turn in call.turns if turn.heard), default=0)
        until_ms = self.clock.now_ms() + _UNDERSTOOD_WITHIN_MS
        while last and not state.has_understood(last) and self.clock.now_ms() < until_ms:
            await self.clock.sleep_ms(_LOOKS_EVERY_MS)
            state = (await self.states.read(call.call_id))[0] or state
        return state

    async def recall(self, tenant_id: str, call_id: str, agent: Agent) -> State | None:
        """What the same caller's last call with this agent was about; of slots and flow what it still declares, all
        of it marked as recalled. Raises: StoreError.
        """
        if not agent.memory_hours or not self.keys:
            return None
        call = await self.call_store.get(tenant_id, call_id)
        callers = self._callers(call) if call else []
        if not callers:
            return None
        memory = await self.memories.recall(tenant_id, agent.agent_id, callers, self.clock.now())
        if memory is None or memory.call_id == call_id:
            return None
        window = timedelta(hours=agent.memory_hours)  # it may have been another when the memory was kept
        return await self._opened(memory, agent) if memory.kept_at + window > self.clock.now() else None

    async def _opened(self, memory: CallerMemory, agent: Agent) -> State | None:
        purpose = _purpose(memory.tenant_id, agent.agent_id, memory.caller)
        plain = await self.vault.unseal(memory.sealed, purpose=purpose)
        try:
            state = at_home(state_of(json.loads(plain)), agent)
        except ValueError:
            return None
        if not state.slots:
            return None
        slots = {name: replace(held, recalled=True, confirmed=False, turn=0) for name, held in state.slots.items()}
        kept = replace(state, slots=slots, doubts={}, turns=(), unclear=0, goes_to="", goes_to_version=0)
        return replace(kept, intent_turn=0, step_turn=0)

    async def forget_old(self) -> int:
        """Deletes what is past its time, of all tenants; how many. Raises: StoreError."""
        total = 0
        for _ in range(_MOST_PORTIONS):
            deleted = await self.memories.forget_old(self.clock.now(), limit=_PORTION)
            total += deleted
            if deleted < _PORTION:
                break
        return total

    def _callers(self, call: Call) -> list[str]:
        party = party_of(call)
        return caller_keys(self.keys, call.tenant_id, party) if party else []

    async def _agent(self, call: Call) -> Agent | None:
        return await self.directory.agent(call.tenant_id, call.agent_id, call.agent_version)


def _purpose(tenant_id: str, agent_id: str, caller: str) -> str:
    return f"caller memory {tenant_id} {agent_id} {caller}"
