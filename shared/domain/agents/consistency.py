"""Whether the parts of an agent's document fit each other, which no schema can say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.agents.document import AgentDocument
from shared.domain.agents.faults import Fault
from shared.domain.agents.intents import Flow, Slot, SlotKind, Transition
from shared.domain.agents.tools import BuiltIn
from shared.domain.telephony.commands import TransferKind
from shared.domain.tools.faults import faults_of_tools


def faults_of(document: AgentDocument) -> list[Fault]:
    """In the order of the fields; none: it can be published."""
    return [*_tools(document), *_intents(document), *_flow(document), *_time_zone(document)]


def tool_names(document: AgentDocument) -> list[str]:
    """What a step may name: single tools, and servers and API documents as a whole."""
    tools = document.tools
    return [tool.name for group in (tools.http, tools.openapi, tools.mcp, tools.built_in) for tool in group]


def _tools(document: AgentDocument) -> Iterator[Fault]:
    yield from _twice("tools", tool_names(document))
    for i, tool in enumerate(document.tools.http):
        if tool.parameters.get("type") != "object":
            yield Fault(f"tools.http[{i}].parameters", "must be the schema of an object")
    for i, built_in in enumerate(document.tools.built_in):
        if (built_in.name is BuiltIn.TRANSFER) != bool(built_in.destinations):
            yield Fault(f"tools.built_in[{i}].destinations", "are needed for transfer, and for nothing else")
        if built_in.name is not BuiltIn.TRANSFER and built_in.kind is not TransferKind.COLD:
            yield Fault(f"tools.built_in[{i}].kind", "is of transfer, and of nothing else")
        if built_in.whisper and built_in.kind is not TransferKind.WARM:
            yield Fault(f"tools.built_in[{i}].whisper", "is of a warm transfer, and of nothing else")
    yield from faults_of_tools(document.tools)


def _intents(document: AgentDocument) -> Iterator[Fault]:
    """What has the same name in several intents is the same for the conversation."""
    alike: dict[str, Slot] = {}
    yield from _twice("intents", (intent.name for intent in document.intents))
    for i, intent in enumerate(document.intents):
        yield from _twice(f"intents[{i}].slots", (slot.name for slot in intent.slots))
        for j, slot in enumerate(intent.slots):
            if (slot.kind is SlotKind.CHOICE) != bool(slot.choices):
                yield Fault(f"intents[{i}].slots[{j}].choices", "are needed for a choice, and for nothing else")
            first = alike.setdefault(slot.name, slot)
            if (first.kind, first.choices, first.in_past) != (slot.kind, slot.choices, slot.in_past):
                yield Fault(f"intents[{i}].slots[{j}]", f"another intent has a slot {slot.name} of another kind")


def _time_zone(document: AgentDocument) -> Iterator[Fault]:
    try:
        ZoneInfo(document.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault("time_zone", f"there is no time zone {document.time_zone}")


def _flow(document: AgentDocument) -> Iterator[Fault]:
    flow = document.flow
    yield from _twice("flow.steps", (step.name for step in flow.steps))
    tools = set(tool_names(document))
    for i, step in enumerate(flow.steps):
        for j, name in enumerate(step.tools):
            if name not in tools:
                yield Fault(f"flow.steps[{i}].tools[{j}]", f"there is no tool {name}")
    yield from _transitions(document, flow)


def _transitions(document: AgentDocument, flow: Flow) -> Iterator[Fault]:
    steps = {step.name for step in flow.steps}
    intents = {intent.name for intent in document.intents}
    slots = {slot.name for intent in document.intents for slot in intent.slots}
    for i, step in enumerate(flow.steps):
        always = False
        for j, transition in enumerate(step.transitions):
            where = f"flow.steps[{i}].transitions[{j}]"
            if always:
                yield Fault(where, "is never taken: the one before it always is")
            always = always or not (transition.intent or transition.known)
            if transition.step == step.name:
                yield Fault(f"{where}.step", "leads to where it comes from")
            yield from _aim(where, transition, steps)
            if transition.intent and transition.intent not in intents:
                yield Fault(f"{where}.intent", f"there is no intent {transition.intent}")
            for k, name in enumerate(transition.known):
                if name not in slots:
                    yield Fault(f"{where}.known[{k}]", f"no intent has a slot {name}")


def _aim(where: str, transition: Transition, steps: set[str]) -> Iterator[Fault]:
    if bool(transition.step) == bool(transition.agent):
        yield Fault(where, "leads either to a step or to an agent")
    elif transition.step and transition.step not in steps:
        yield Fault(f"{where}.step", f"there is no step {transition.step}")


def _twice(where: str, names: Iterable[str]) -> Iterator[Fault]:
    for name, times in Counter(names).items():
        if times > 1:
            yield Fault(where, f"there is more than one {name}")
