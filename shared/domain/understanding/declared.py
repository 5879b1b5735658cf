"""What an agent's document declares, by name."""

from __future__ import annotations

from shared.domain.agents.document import AgentDocument
from shared.domain.agents.intents import Intent, Slot, Step
from shared.domain.understanding.state import State


def understands(agent: AgentDocument) -> bool:
    """Whether there is anything to understand: else the persona leads the conversation freely."""
    return bool(agent.intents or agent.flow.steps)


def intent_of(agent: AgentDocument, name: str) -> Intent | None:
    return next((intent for intent in agent.intents if intent.name == name), None)


def slots_of(agent: AgentDocument) -> dict[str, Slot]:
    """All of them; those with the same name in several intents are alike, and one."""
    return {slot.name: slot for intent in agent.intents for slot in intent.slots}


def step_of(agent: AgentDocument, name: str) -> Step | None:
    return next((step for step in agent.flow.steps if step.name == name), None)


def is_known(agent: AgentDocument, state: State, name: str) -> bool:
    """Whether a slot's value can be built upon."""
    held, slot = state.slots.get(name), slots_of(agent).get(name)
    return held is not None and slot is not None and not held.recalled and (held.confirmed or not slot.confirm)
