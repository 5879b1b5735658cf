"""What turns make of a state: slots read by code, corrections, confirmations, digressions, steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.agents.intents import Flow, Step, Transition
from shared.domain.tools.assent import Answer
from shared.domain.understanding.findings import Findings
from shared.domain.understanding.flow import advanced, at_home, begun
from shared.domain.understanding.learning import learned
from shared.domain.understanding.plan import Deed, Plan, plan_of
from shared.domain.understanding.reading_slots import Heard
from shared.domain.understanding.state import Held, State, state_of
from tests.shared.domain.understanding.clinic import ACCOUNTS, CLINIC, CONTEXT, after, found, values

BOOKING = ("I want to book an appointment", found("book"))
FREE = replace(CLINIC, flow=Flow())


@pytest.mark.parametrize(
    ("turns", "known", "step"),
    [
        ([BOOKING], {}, "when"),
        ([("Book me", found("book", day="this Friday"))], {"day": "2026-11-27"}, "when"),
        (
            [("Book me Friday at three pm", found("book", day="this Friday", hour="at three pm"))],
            {"day": "2026-11-27", "hour": "15:00"},
            "who",
        ),
        (
            [("Ann", found("book", day="tomorrow", hour="at 4 pm", name="my name is Ann"))],
            {"day": "2026-11-24", "hour": "16:00", "name": "Ann"},
            "done",
        ),
        (
            [BOOKING, ("", found(day="tomorrow")), ("", found(day="the day after tomorrow"))],
            {"day": "2026-11-25"},
            "when",
        ),
        ([BOOKING, ("", found(day="Thursday, no, sorry, Friday"))], {"day": "2026-11-27"}, "when"),
        ([BOOKING, ("", found(doctor="Doctor Mehta please"))], {"doctor": "Doctor Mehta"}, "when"),
        ([BOOKING, ("", found(doctor="Doctor Who"))], {}, "when"),
        ([BOOKING, ("", found("hours"))], {}, "when"),
        ([("", found("hours"))], {}, "telling"),
        ([("", found("hours")), ("thanks", found())], {}, "start"),
    ],
)
def test_slots_and_steps(turns: list[tuple[str, Findings]], known: dict[str, str], step: str) -> None:
    state = after(*turns)
    assert (values(state), state.step) == (known, step)


def test_a_value_that_does_not_exist_takes_the_old_one_with_it_and_is_asked_for_again() -> None:
    state = after(BOOKING, ("", found(day="tomorrow")), ("", found(day="the 30th of February")))
    assert values(state) == {}
    assert plan_of(CLINIC, state) == Plan(Deed.ASK_AGAIN, "day", "impossible")
    assert plan_of(CLINIC, after(("", found(day="on Friday")), state=state)) == Plan(Deed.ASK, "hour")


def test_words_without_a_value_do_not_take_the_old_one() -> None:
    state = after(BOOKING, ("", found(day="tomorrow")), ("", found(day="whatever")))
    assert values(state) == {"day": "2026-11-24"}


def test_what_is_needed_is_asked_for_in_the_order_of_the_step_then_of_the_intent() -> None:
    state = begun(CLINIC)
    assert plan_of(CLINIC, state) == Plan(Deed.CONVERSE)
    state = after(BOOKING)
    assert plan_of(CLINIC, state) == Plan(Deed.ASK, "day")
    state = after(("", found(day="tomorrow", hour="4 pm")), state=state)
    assert plan_of(CLINIC, state) == Plan(Deed.ASK, "name")
    state = after(("", found(name="Ann")), state=state)
    assert plan_of(CLINIC, state) == Plan(Deed.ACT)


class TestConfirmation:
    asked = after(("", found("call_back", phone="98765 43210")), agent=FREE)

    def test_a_value_that_must_be_confirmed_is_not_known_before(self) -> None:
        assert plan_of(FREE, self.asked) == Plan(Deed.CONFIRM, "phone")

    def test_yes(self) -> None:
        state = after(("yes", found()), agent=FREE, state=self.asked)
        assert state.slots["phone"].confirmed
        assert plan_of(FREE, state) == Plan(Deed.ACT)

    def test_a_model_that_heard_a_yes_is_believed_unless_the_caller_said_no(self) -> None:
        heard = after(("that is the one", found(answer=Answer.YES)), agent=FREE, state=self.asked)
        assert heard.slots["phone"].confirmed
        denied = after(("no", found(answer=Answer.YES)), agent=FREE, state=self.asked)
        assert plan_of(FREE, denied) == Plan(Deed.ASK_AGAIN, "phone", "refused")

    def test_a_correction_is_confirmed_anew(self) -> None:
        corrected = after(
            ("no, it ends in one", found(phone="no, 98765 43211")), ("right", found()), agent=FREE, state=self.asked
        )
        assert corrected.slots["phone"].value == "+919876543211"
        assert corrected.slots["phone"].confirmed
        again = after(("it is 98765 43212", found(phone="98765 43212")), agent=FREE, state=corrected)
        assert not again.slots["phone"].confirmed

    def test_a_number_that_comes_in_two_pieces(self) -> None:
        state = after(("", found("call_back", phone="98765")), agent=FREE)
        assert plan_of(FREE, state).deed is Deed.ASK_AGAIN
        state = after(("", found(phone="43210")), agent=FREE, state=state)
        assert values(state) == {"phone": "+919876543210"}


def test_a_digression_is_come_back_from() -> None:
    state = after(BOOKING, ("when are you open?", found("hours")), agent=FREE)
    assert (state.intent, state.aside) == ("hours", ("book",))
    state = after(("ok, Friday then", found(day="Friday")), agent=FREE, state=state)
    assert (state.intent, state.aside) == ("book", ())
    assert plan_of(FREE, state) == Plan(Deed.ASK, "hour")


def test_who_goes_back_by_themselves_leaves_nothing_aside() -> None:
    state = after(BOOKING, ("", found("hours")), ("", found("book")), agent=FREE)
    assert (state.intent, state.aside) == ("book", ())


def test_what_nobody_can_do_here_is_counted_until_something_else_is_wanted() -> None:
    state = after(BOOKING, ("", found(other=True)), ("", found(other=True)))
    assert (state.intent, state.unclear) == ("book", 2)
    assert after(("", found(day="Friday")), state=state).unclear == 0


def test_an_understood_turn_changes_nothing_again() -> None:
    state = after(BOOKING, ("", found(day="tomorrow")))
    assert learned(CLINIC, state, found("hours", day="Friday"), Heard("", CONTEXT, 2)) is state


def test_a_turn_that_is_understood_late_does_not_undo_later_ones() -> None:
    state = learned(CLINIC, after(BOOKING), found("hours", day="Friday"), Heard("", CONTEXT, 3))
    late = learned(CLINIC, state, found("billing", day="tomorrow", hour="at 4 pm"), Heard("", CONTEXT, 2))
    assert values(late) == {"day": "2026-11-27", "hour": "16:00"}
    assert (late.intent, late.goes_to, late.turns) == ("hours", "", (1, 2, 3))


def test_another_agent_goes_on_with_what_it_declares_too() -> None:
    state = after(BOOKING, ("", found(name="Ann", day="Friday")), ("my bill", found("billing")))
    assert (state.goes_to, plan_of(CLINIC, state).deed) == ("accounts", Deed.HAND_OVER)
    there = at_home(state, ACCOUNTS)
    assert (there.agent_id, there.step, there.intent) == ("accounts", "bills", "billing")
    assert (values(there), there.aside, there.goes_to) == ({"name": "Ann"}, (), "")


def test_steps_that_lead_in_a_circle_end() -> None:
    circle = Flow(
        steps=(
            Step(name="a", instructions="A", transitions=(Transition(intent="book", step="b"),)),
            Step(name="b", instructions="B", transitions=(Transition(intent="book", step="a"),)),
        )
    )
    agent = replace(CLINIC, flow=circle)
    assert advanced(agent, replace(begun(agent), intent="book"), 1).step == "b"


class TestRecalled:
    earlier = replace(
        begun(CLINIC),
        intent="book",
        step="when",
        slots={"day": Held(value="2026-11-27", said="Friday", turn=0, recalled=True)},
    )

    def test_it_is_offered_and_counts_after_a_yes(self) -> None:
        first = after(("yes, hello", found()), state=self.earlier)
        assert (plan_of(CLINIC, first).deed, first.is_recalled) == (Deed.RESUME, True)
        second = after(("yes", found()), state=first)
        assert plan_of(CLINIC, second) == Plan(Deed.ASK, "hour")

    @pytest.mark.parametrize(("words", "findings"), [("no", found()), ("bill", found("billing")), ("hm", found())])
    def test_it_is_forgotten_otherwise(self, words: str, findings: Findings) -> None:
        state = after(("hello", found()), (words, findings), state=self.earlier)
        assert state.slots == {}

    def test_who_begins_with_the_same_goes_on(self) -> None:
        state = after(("book an appointment", found("book")), state=self.earlier)
        assert plan_of(CLINIC, state) == Plan(Deed.ASK, "hour")


def test_a_state_survives_as_json() -> None:
    state = after(BOOKING, ("", found(day="tomorrow", hour="the 30th", doctor="doctor")))
    assert state_of(state.to_json()) == state
    assert state_of({**state.to_json(), "of_a_later_release": 1}) == state


@pytest.mark.parametrize(
    "document", [None, [], {}, {"agent_id": "a", "slots": {"x": {}}}, {"agent_id": "a", "slots": 1}]
)
def test_what_is_no_state_is_told(document: object) -> None:
    with pytest.raises(ValueError, match="state"):
        state_of(document)


def test_turns_of_long_ago_count_as_understood() -> None:
    state = State(agent_id="a")
    for turn in range(1, 80):
        state = state.after(turn)
    assert len(state.turns) == 50
    assert state.has_understood(3)
    assert not state.has_understood(80)
