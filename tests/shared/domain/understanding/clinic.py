"""An agent with intents, slots and a flow, for the tests of what is understood."""

from __future__ import annotations

from datetime import date

from shared.domain.agents.document import Agent
from shared.domain.agents.intents import Flow, Intent, Slot, SlotKind, Step, Transition
from shared.domain.slots.reading import Context
from shared.domain.tools.assent import Answer
from shared.domain.understanding.findings import Findings, Mention
from shared.domain.understanding.flow import begun
from shared.domain.understanding.learning import learned
from shared.domain.understanding.reading_slots import Heard
from shared.domain.understanding.state import State

CONTEXT = Context(today=date(2026, 11, 23), language="en-IN")
"""A Monday."""
DAY = Slot(name="day", kind=SlotKind.DATE, description="the day of the visit", ask="Which day suits you?")
HOUR = Slot(name="hour", kind=SlotKind.TIME)
NAME = Slot(name="name", kind=SlotKind.PERSON_NAME)
PHONE = Slot(name="phone", kind=SlotKind.PHONE_NUMBER, confirm=True)
NOTE = Slot(name="note", kind=SlotKind.TEXT, required=False)
DOCTOR = Slot(name="doctor", kind=SlotKind.CHOICE, choices=("Doctor Rao", "Doctor Mehta"), required=False)
BOOK = Intent(
    name="book",
    description="A new appointment",
    examples=("I want to book an appointment", "book an appointment"),
    slots=(DAY, HOUR, NAME, NOTE, DOCTOR),
)
CALL_BACK = Intent(name="call_back", description="To be called", examples=("please call me back",), slots=(PHONE,))
HOURS = Intent(
    name="hours", description="Opening hours", examples=("what are your opening hours", "when are you open")
)
BILLING = Intent(name="billing", description="A bill", examples=("I have a question about my bill",))
FLOW = Flow(
    steps=(
        Step(
            name="start",
            instructions="Find out what it is about.",
            transitions=(
                Transition(intent="billing", agent="accounts"),
                Transition(intent="book", step="when"),
                Transition(intent="hours", step="telling"),
            ),
        ),
        Step(
            name="when",
            instructions="Find a free time.",
            tools=("free_times",),
            transitions=(
                Transition(intent="billing", agent="accounts"),
                Transition(known=("day", "hour"), step="who"),
            ),
        ),
        Step(name="who", instructions="Ask who comes.", transitions=(Transition(known=("name",), step="done"),)),
        Step(name="done", instructions="Say that it is booked."),
        Step(name="telling", instructions="Tell the hours.", transitions=(Transition(step="start"),)),
    )
)
CLINIC = Agent(
    agent_id="clinic",
    tenant_id="acme",
    version=3,
    name="Clinic",
    persona="You are the clinic.",
    greeting="Hello.",
    language="en-IN",
    intents=(BOOK, CALL_BACK, HOURS, BILLING),
    flow=FLOW,
)
ACCOUNTS = Agent(
    agent_id="accounts",
    tenant_id="acme",
    version=7,
    name="Accounts",
    persona="You are the accounts.",
    greeting="Accounts.",
    intents=(Intent(name="billing", description="A bill", slots=(NAME,)),),
    flow=Flow(steps=(Step(name="bills", instructions="Look the bill up."),)),
)


def found(intent: str = "", *, answer: Answer = Answer.NEITHER, other: bool = False, **words: str) -> Findings:
    mentions = tuple(Mention(slot, said) for slot, said in words.items())
    return Findings(intent=intent, is_other=other, mentions=mentions, answer=answer)


def after(*turns: tuple[str, Findings], agent: Agent = CLINIC, state: State | None = None) -> State:
    """The state after these turns, each the caller's words and what was found in them."""
    state = state or begun(agent)
    for number, (words, findings) in enumerate(turns, start=state.latest_turn + 1):
        state = learned(agent, state, findings, Heard(words, CONTEXT, number))
    return state


def values(state: State) -> dict[str, str]:
    return {name: held.value for name, held in state.slots.items()}
