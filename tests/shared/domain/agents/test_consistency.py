"""Parts of a document that do not fit each other are found, by field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.agents.consistency import faults_of
from shared.domain.agents.document import AgentDocument
from shared.domain.agents.intents import Flow, Intent, Slot, SlotKind, Step, Transition
from shared.domain.agents.tools import BuiltIn, BuiltInTool, HttpTool, Tools
from shared.domain.telephony.commands import TransferKind

FIND = HttpTool(name="find_order", description="Finds an order.", url="https://shop.example/orders")
ORDER = Slot(name="order", kind=SlotKind.DIGITS)
TRACK = Intent(name="track", description="Where is it?", slots=(ORDER,))
DESK = AgentDocument(
    name="Desk",
    persona="You are the desk.",
    greeting="Hello.",
    tools=Tools(http=(FIND,), built_in=(BuiltInTool(name=BuiltIn.TRANSFER, destinations={"sales": "+14155550188"}),)),
    intents=(TRACK,),
    flow=Flow(
        steps=(
            Step(
                name="start",
                instructions="Ask what it is about.",
                transitions=(Transition(intent="track", known=("order",), step="tell"),),
            ),
            Step(name="tell", instructions="Tell where it is.", tools=("find_order", "transfer")),
        )
    ),
)


def test_a_document_whose_parts_fit() -> None:
    assert faults_of(DESK) == []


def _with_built_in(tool: BuiltInTool) -> AgentDocument:
    return replace(DESK, tools=replace(DESK.tools, built_in=(*DESK.tools.built_in, tool)))


def _going(**changes: object) -> AgentDocument:
    transition = replace(DESK.flow.steps[0].transitions[0], **changes)  # type: ignore[arg-type]
    first = replace(DESK.flow.steps[0], transitions=(transition,))
    return replace(DESK, flow=Flow(steps=(first, *DESK.flow.steps[1:])))


def _leading(*transitions: Transition) -> AgentDocument:
    first = replace(DESK.flow.steps[0], transitions=transitions)
    return replace(DESK, flow=Flow(steps=(first, *DESK.flow.steps[1:])))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (replace(DESK, tools=replace(DESK.tools, http=(FIND, FIND))), "tools"),
        (
            replace(DESK, tools=replace(DESK.tools, http=(replace(FIND, parameters={"type": "array"}),))),
            "tools.http[0].parameters",
        ),
        (
            replace(DESK, tools=replace(DESK.tools, built_in=(BuiltInTool(name=BuiltIn.TRANSFER),))),
            "tools.built_in[0].destinations",
        ),
        (_with_built_in(BuiltInTool(name=BuiltIn.HANG_UP, kind=TransferKind.WARM)), "tools.built_in[1].kind"),
        (_with_built_in(BuiltInTool(name=BuiltIn.HANG_UP, whisper="Here.")), "tools.built_in[1].whisper"),
        (replace(DESK, intents=(TRACK, TRACK)), "intents"),
        (replace(DESK, intents=(replace(TRACK, slots=(ORDER, ORDER)),)), "intents[0].slots"),
        (
            replace(DESK, intents=(replace(TRACK, slots=(replace(ORDER, choices=("a",)),)),)),
            "intents[0].slots[0].choices",
        ),
        (
            replace(DESK, intents=(TRACK, replace(TRACK, name="ship", slots=(replace(ORDER, kind=SlotKind.TEXT),)))),
            "intents[1].slots[0]",
        ),
        (replace(DESK, time_zone="Mars/Olympus"), "time_zone"),
        (_going(step="start"), "flow.steps[0].transitions[0].step"),
        (_leading(Transition(step="tell"), Transition(intent="track", step="tell")), "flow.steps[0].transitions[1]"),
        (_going(step="nowhere"), "flow.steps[0].transitions[0].step"),
        (_going(step=""), "flow.steps[0].transitions[0]"),
        (_going(agent="other"), "flow.steps[0].transitions[0]"),
        (_going(intent="buy"), "flow.steps[0].transitions[0].intent"),
        (_going(known=("size",)), "flow.steps[0].transitions[0].known[0]"),
        (
            replace(DESK, flow=Flow(steps=(replace(DESK.flow.steps[1], tools=("find_order", "dig")),))),
            "flow.steps[0].tools[1]",
        ),
    ],
)
def test_what_does_not_fit_is_named(document: AgentDocument, field: str) -> None:
    assert [fault.field for fault in faults_of(document)] == [field]
