"""Where a conversation goes on: along the declared transitions only, by what the caller wants and what is known."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.agents.document import Agent, AgentDocument
from shared.domain.agents.intents import Transition
from shared.domain.understanding.declared import intent_of, is_known, slots_of, step_of
from shared.domain.understanding.state import State


def begun(agent: Agent) -> State:
    """How a conversation with this agent begins."""
    return State(agent_id=agent.agent_id, step=_first_step(agent))


def at_home(state: State, agent: Agent) -> State:
    """The state for the agent who goes on with the call: what this one declares too goes along. So it does for a
    new version of the same agent.
    """
    declared = slots_of(agent)
    is_moved = state.agent_id != agent.agent_id
    step = _first_step(agent) if is_moved or step_of(agent, state.step) is None else state.step
    return replace(
        state,
        agent_id=agent.agent_id,
        intent=state.intent if intent_of(agent, state.intent) else "",
        aside=tuple(name for name in state.aside if intent_of(agent, name)),
        step=step,
        step_turn=state.step_turn if step == state.step and not is_moved else state.latest_turn,
        slots={name: held for name, held in state.slots.items() if name in declared},
        doubts={name: doubt for name, doubt in state.doubts.items() if name in declared},
        declined=tuple(name for name in state.declined if name in declared),
        unclear=0 if is_moved else state.unclear,
        goes_to="",
        goes_to_version=0,
    )


def advanced(agent: AgentDocument, state: State, turn: int) -> State:
    """As far as the transitions lead now; each step is passed once at most. One without any condition is taken when
    a turn has been spent in its step.
    """
    passed: set[str] = set()
    while not state.goes_to and state.step not in passed:
        passed.add(state.step)
        step = step_of(agent, state.step)
        taken = (
            next((each for each in step.transitions if _is_open(agent, state, each, turn)), None) if step else None
        )
        if taken is None:
            break
        if taken.agent:
            return replace(state, goes_to=taken.agent)
        if step_of(agent, taken.step) is None or taken.step in passed:
            break
        state = replace(state, step=taken.step, step_turn=turn)
    return state


def _is_open(agent: AgentDocument, state: State, transition: Transition, turn: int) -> bool:
    if transition.intent and transition.intent != state.intent:
        return False
    if not transition.intent and not transition.known:
        return state.step_turn < turn
    return all(is_known(agent, state, name) for name in transition.known)


def _first_step(agent: AgentDocument) -> str:
    return agent.flow.steps[0].name if agent.flow.steps else ""
