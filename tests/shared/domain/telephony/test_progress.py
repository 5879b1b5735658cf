"""Whatever order a provider's events come in, and however often, a call comes to stand at the same place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.call import LINE_LEFT_OPEN, EndReason, end_state
from shared.domain.telephony.events import Progress
from shared.domain.telephony.progress import ENDS, AnsweredBy, CallState, Standing, is_surer, moves_forward

_COURSE = [CallState.CREATED, CallState.QUEUED, CallState.RINGING, CallState.IN_PROGRESS]


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a provider tells of one call, in order; and the same in any order, some of it more than once."""
    end = draw(st.sampled_from(sorted(ENDS)))
    price = {"price": "-0.0085 USD"}
    events: list[dict[str, Any]] = [{"state": state} for state in [*_COURSE, end]]
    events += [{"answered_by": by} for by in draw(st.lists(st.sampled_from(AnsweredBy), max_size=3))]
    events += [{"duration_s": seconds} for seconds in draw(st.lists(st.floats(0, 9e4), max_size=3))]
    events += draw(st.sampled_from([[], [price], [{"state": end, "duration_s": 1.0, **price}]]))
    told = draw(st.permutations(events + draw(st.lists(st.sampled_from(events), max_size=5))))
    return events, told


def standing(events: list[dict[str, Any]]) -> Standing:
    told = Standing()
    for event in events:
        told = told.after(**event)
    return told


@given(tellings())
def test_the_order_and_the_repetitions_do_not_matter(
    telling: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    events, told = telling
    assert standing(told) == standing(events)


@given(st.lists(st.sampled_from(CallState)))
def test_no_state_goes_back_and_the_first_end_stands(states: list[CallState]) -> None:
    now = Standing()
    for state in states:
        then = now.after(state)
        assert then.state is now.state or moves_forward(now.state, then.state)
        now = then
    first_end = next((state for state in states if state.is_end), None)
    assert first_end is None or now.state is first_end


def test_what_is_told_after_the_end_adds_to_it() -> None:
    ended = Standing().after(CallState.COMPLETED).after(CallState.FAILED, duration_s=61.0, price="-0.02 USD")
    assert ended == Standing(CallState.COMPLETED, None, 61.0, "-0.02 USD")


@pytest.mark.parametrize("by", AnsweredBy)
def test_who_answered_is_known_better_and_better(by: AnsweredBy) -> None:
    assert is_surer(None, by)
    assert not is_surer(by, by)
    assert not is_surer(by, AnsweredBy.UNKNOWN)
    assert is_surer(AnsweredBy.HUMAN, AnsweredBy.MACHINE), "a greeting sounded like a person"


def test_the_events_words_are_the_states() -> None:
    assert Progress is CallState
    assert frozenset({CallState(word) for word in ("completed", "busy", "no_answer", "canceled", "failed")}) == ENDS


def test_every_reason_leads_to_an_end() -> None:
    assert all(end_state(reason).is_end for reason in EndReason)
    assert {reason for reason in EndReason if end_state(reason) is CallState.FAILED} == {
        EndReason.ERROR, EndReason.NO_MEDIA, EndReason.FAILED, EndReason.UNREPORTED,
    }  # fmt: skip
    assert all(end_state(reason) is CallState.COMPLETED for reason in LINE_LEFT_OPEN)
