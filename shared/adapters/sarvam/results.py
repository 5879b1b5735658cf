"""What a voice agent of Sarvam's tells when a call is over: one that we placed, one of a campaign, one that came in.

Source: https://docs.sarvam.ai/voice-agents/api/deployments/webhooks/webhook-payload and its neighbours for instant
outbound calls and campaigns
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.sarvam.hooks import CALL_VARIABLE, number_of, read_transcript
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.delegated import Speech
from shared.domain.telephony.events import CallProgressed
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.progress import CallState

_STATES = {
    "connected": CallState.COMPLETED,
    "no_answer": CallState.NO_ANSWER,
    "busy": CallState.BUSY,
    "failed": CallState.FAILED,
}
"""`status` of one call, and `connectivity_status` of a campaign's."""
_COMPLETIONS = {
    "completed": CallState.COMPLETED,
    "partial": CallState.COMPLETED,
    "failed": CallState.FAILED,
}
_LONGEST_S = 24 * 3600.0
_LONGEST_ID = 128
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class CallResult:
    """`our_call_id`: as we gave it along, "" where we did not. `variables`: the agent's, at the end."""

    progress: CallProgressed
    our_call_id: str
    interaction_id: str
    failure_reason: str
    caller: str
    callee: str
    variables: Mapping[str, Any]
    transcript: tuple[Speech, ...]


def read_result(document: Mapping[str, Any]) -> CallResult:
    """Raises: InvalidRequest for what tells of no call, or not what became of it."""
    interaction_id = _text(document, "interaction_id", _LONGEST_ID)
    provider_call_id = _text(document, "attempt_id", _LONGEST_ID) or interaction_id
    if not provider_call_id:
        raise InvalidRequest("call_unnamed", "the result names no call")
    raw = _text(document, "status", 32) or _text(document, "connectivity_status", 32)
    completion = _text(document, "completion_status", 32)
    state = _STATES.get(raw) or _COMPLETIONS.get(completion)
    if state is None and not raw and not completion and interaction_id:
        state, raw = CallState.COMPLETED, "connected"  # of a call that came in only its end is told
    if state is None:
        raise InvalidRequest("result_unknown", "the result does not say what became of the call")
    variables = document.get("final_agent_variables")
    variables = variables if isinstance(variables, Mapping) else {}
    return CallResult(
        progress=CallProgressed(
            provider=Provider.SARVAM,
            provider_call_id=provider_call_id,
            key=f"result:{raw or completion}",
            progress=state,
            raw=raw or completion,
            duration_s=_duration_s(document.get("duration")),
        ),
        our_call_id=_our_call_id(document, variables),
        interaction_id=interaction_id,
        failure_reason=_text(document, "failure_reason", 10_000)[:_LONGEST_REASON],
        caller=number_of(document.get("user_phone_number")),
        callee=number_of(document.get("agent_phone_number")),
        variables=variables,
        transcript=tuple(read_transcript(document)),
    )


def _our_call_id(document: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    config = document.get("webhook_config")
    metadata = config.get("metadata") if isinstance(config, Mapping) else None
    given = _text(metadata, "call", _LONGEST_ID) if isinstance(metadata, Mapping) else ""
    return given or _text(variables, CALL_VARIABLE, _LONGEST_ID)


def _duration_s(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_S:
        return None
    return float(value)


def _text(document: Mapping[str, Any], name: str, longest: int) -> str:
    value = document.get(name)
    return value if isinstance(value, str) and len(value) <= longest else ""
