"""What became of a call, in each of the forms in which it is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.sarvam.results import read_result
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.progress import CallState
from tests.shared.adapters.sarvam.bodies import ATTEMPT, INTERACTION, result
from tests.shared.adapters.sarvam.test_hooks import JSON


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("connected", CallState.COMPLETED),
        ("no_answer", CallState.NO_ANSWER),
        ("busy", CallState.BUSY),
        ("failed", CallState.FAILED),
    ],
)
def test_a_call_that_we_placed(status: str, expected: CallState) -> None:
    read = read_result(result(status=status, failure_reason="exotel:user_busy"))
    assert (read.progress.progress, read.progress.raw, read.progress.duration_s) == (expected, status, 42.5)
    assert (read.progress.provider_call_id, read.our_call_id) == (ATTEMPT, "call-1")
    assert (read.interaction_id, read.failure_reason) == (INTERACTION, "exotel:user_busy")
    assert read.variables == {"patient": "Asha", "time": "9:00"}
    assert [speech.text for speech in read.transcript] == ["Hello.", "I want to come at nine.", "Done."]


@pytest.mark.parametrize(
    ("completion", "connectivity", "expected"),
    [
        ("completed", "connected", CallState.COMPLETED),
        ("partial", "connected", CallState.COMPLETED),
        ("failed", "no_answer", CallState.NO_ANSWER),
        ("failed", "busy", CallState.BUSY),
        ("failed", None, CallState.FAILED),
        ("completed", None, CallState.COMPLETED),
    ],
)
def test_a_call_of_a_campaign(completion: str, connectivity: str | None, expected: CallState) -> None:
    read = read_result(
        {
            "app_id": "desk",
            "app_version": 7,
            "attempt_id": ATTEMPT,
            "campaign_id": "c",
            "cohort_id": "d",
            "completion_status": completion,
            "connectivity_status": connectivity,
            "next_action_status": "retry",
            "user_phone_number": "+919800000002",
            "agent_phone_number": "+918000000001",
            "final_agent_variables": {"voice_agent_call": "call-2"},
        }
    )
    assert (read.progress.progress, read.our_call_id) == (expected, "call-2")
    assert (read.caller, read.callee, read.progress.duration_s) == ("+919800000002", "+918000000001", None)


def test_a_call_that_came_in() -> None:
    read = read_result({"interaction_id": INTERACTION, "deployment_id": "d", "duration": 3})
    assert (read.progress.progress, read.progress.provider_call_id) == (CallState.COMPLETED, INTERACTION)


@pytest.mark.parametrize(
    "changes",
    [
        {"attempt_id": None, "interaction_id": None},
        {"attempt_id": "", "interaction_id": 7},
        {"status": "ringing"},
        {"status": ["connected"]},
    ],
)
def test_what_tells_nothing(changes: dict[str, Any]) -> None:
    if changes.get("status") == ["connected"]:
        assert read_result(result(**changes)).progress.progress is CallState.COMPLETED
        return
    with pytest.raises(InvalidRequest):
        read_result(result(**changes))


@pytest.mark.parametrize("duration", [-1, "42", None, True, 1e9, [], {}])
def test_a_duration_that_is_none(duration: Any) -> None:
    assert read_result(result(duration=duration)).progress.duration_s is None


@given(st.dictionaries(st.sampled_from(list(result())), JSON))
def test_no_document_confuses_it(changes: dict[str, Any]) -> None:
    try:
        read_result(result(**changes))
    except InvalidRequest:
        return
