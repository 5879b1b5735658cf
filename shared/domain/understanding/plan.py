"""What the agent should do next: computed from the state alone, never by a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.agents.document import AgentDocument
from shared.domain.understanding.declared import intent_of, is_known, slots_of, step_of
from shared.domain.understanding.state import State


class Deed(StrEnum):
    CONVERSE = "converse"
    """Find out what the caller wants, or follow the step's instructions."""
    RESUME = "resume"
    """Ask whether the caller goes on with what the last call was about."""
    ASK = "ask"
    ASK_AGAIN = "ask_again"
    CONFIRM = "confirm"
    """Say a value and ask whether it is right."""
    ACT = "act"
    """All that the intent needs is known."""
    HAND_OVER = "hand_over"


@dataclass(frozen=True, slots=True)
class Plan:
    """`slot`: which one is meant; `why` and `candidates`: of a doubt."""

    deed: Deed
    slot: str = ""
    why: str = ""
    candidates: tuple[str, ...] = ()


def plan_of(agent: AgentDocument, state: State) -> Plan:
    if state.goes_to:
        return Plan(Deed.HAND_OVER)
    if state.is_recalled:
        return Plan(Deed.RESUME)
    wanted = _wanted(agent, state)
    for name, doubt in state.doubts.items():
        if name in wanted:
            return Plan(Deed.ASK_AGAIN, name, doubt.why, doubt.candidates)
    for name in wanted:
        if name in state.slots and not is_known(agent, state, name):
            return Plan(Deed.CONFIRM, name)
    for name in wanted:
        if name not in state.slots and name not in state.declined:
            return Plan(Deed.ASK, name)
    return Plan(Deed.ACT if intent_of(agent, state.intent) else Deed.CONVERSE)


def is_done(agent: AgentDocument, state: State) -> bool:
    """Whether nothing is left to be asked for what the caller wants now."""
    return plan_of(agent, state).deed is Deed.ACT


def _wanted(agent: AgentDocument, state: State) -> list[str]:
    """The slots that are needed now, first those on which the step's way out depends; and those that were given
    without need, so that they are confirmed and cleared up too.
    """
    intent, step = intent_of(agent, state.intent), step_of(agent, state.step)
    names = [
        name
        for transition in (step.transitions if step else ())
        if transition.intent in ("", state.intent)
        for name in transition.known
    ]
    for slot in intent.slots if intent else ():
        if slot.required or slot.name in state.slots or slot.name in state.doubts:
            names.append(slot.name)
    declared = slots_of(agent)
    return [name for name in dict.fromkeys(names) if name in declared]
