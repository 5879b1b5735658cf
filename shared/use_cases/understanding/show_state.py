"""What an operator sees of the state of a running conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.domain.agents.intents import SlotKind
from shared.domain.call import Call
from shared.domain.understanding.declared import slots_of
from shared.domain.understanding.plan import plan_of
from shared.ports.conversation_states import ConversationStates
from shared.ports.directory import Directory

_IMPERSONAL = frozenset({SlotKind.TIME, SlotKind.AMOUNT, SlotKind.NUMBER, SlotKind.CHOICE})
"""Dates may be of birth."""


@dataclass(frozen=True, slots=True)
class ShowState:
    states: ConversationStates
    directory: Directory

    async def __call__(self, call: Call) -> dict[str, Any] | None:
        """`{"agent_id", "intent", "step", "next": {"deed", "slot"}, "slots": {name: {"value", "confirmed"}}}`; None
        where the call is over, or nothing is known yet. Personal values are null where the agent redacts. Raises:
        StoreError.
        """
        state, _ = await self.states.read(call.call_id)
        if state is None or call.state.is_end:
            return None
        version = call.agent_version if state.agent_id == call.agent_id else 0
        agent = await self.directory.agent(call.tenant_id, state.agent_id, version)
        if agent is None:
            return None
        plan, declared = plan_of(agent, state), slots_of(agent)
        slots = {
            name: {
                "value": held.value if declared[name].kind in _IMPERSONAL or not agent.after_call.redacts else None,
                "confirmed": held.confirmed,
            }
            for name, held in state.slots.items()
            if name in declared and not held.recalled
        }
        return {
            "agent_id": state.goes_to or state.agent_id,
            "intent": state.intent or None,
            "step": state.step or None,
            "next": {"deed": plan.deed, "slot": plan.slot or None},
            "slots": slots,
        }
