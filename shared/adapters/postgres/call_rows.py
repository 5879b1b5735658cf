"""Calls and turns as rows: the only place where their columns are named both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, LiteralString

from shared.adapters.postgres.text import storable
from shared.domain.call import OUTBOUND, Call, EndReason, Recording, Turn, TurnOutcome
from shared.domain.knowledge.citations import Citation
from shared.domain.provider_recording import ProviderRecording, RecordingState
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.progress import AnsweredBy, CallState

SELECT_CALLS: LiteralString = (
    "select call_id, tenant_id, agent_id, coalesce(agent_version, 0) as agent_version, provider, provider_call_id,"
    " direction, caller, callee, state,"
    " started_at, ended_at, end_reason, recording_container, recording_blob, recording_duration_ms,"
    " coalesce(line, provider) as line, answered_by, duration_s, price, language from calls"
)


def call_row(call: Call) -> dict[str, Any]:
    """The call's own columns, without its turns."""
    recording = call.recording
    return {
        "call_id": call.call_id,
        "tenant_id": call.tenant_id,
        "agent_id": call.agent_id,
        "agent_version": call.agent_version,
        "provider": call.provider,
        "provider_call_id": call.provider_call_id if call.provider_call_id or call.direction != OUTBOUND else None,
        "line": call.line,
        "direction": call.direction,
        "caller": storable(call.caller),
        "callee": storable(call.callee),
        "state": call.state,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "end_reason": call.end_reason,
        "recording_container": recording.container if recording else None,
        "recording_blob": recording.blob if recording else None,
        "recording_duration_ms": recording.duration_ms if recording else None,
        "answered_by": call.answered_by,
        "duration_s": call.duration_s,
        "price": storable(call.price) or None,
        "language": storable(call.language) or None,
    }


def call_of(
    row: Mapping[str, Any], turns: Iterable[Mapping[str, Any]] = (), recordings: Iterable[Mapping[str, Any]] = ()
) -> Call:
    """The call of a row of `SELECT_CALLS`, and of the rows of its turns and its provider's recordings, in order."""
    return Call(
        call_id=row["call_id"],
        tenant_id=row["tenant_id"],
        agent_id=row["agent_id"],
        agent_version=row["agent_version"],
        provider=Provider(row["provider"]),
        provider_call_id=row["provider_call_id"] or "",
        line=Line(row["line"]),
        direction=row["direction"],
        caller=row["caller"],
        callee=row["callee"],
        state=CallState(row["state"]),
        started_at=_in_utc(row["started_at"]),
        ended_at=_in_utc(row["ended_at"]) if row["ended_at"] else None,
        end_reason=EndReason(row["end_reason"]) if row["end_reason"] else None,
        recording=_recording_of(row),
        turns=tuple(_turn_of(turn) for turn in turns),
        answered_by=AnsweredBy(row["answered_by"]) if row["answered_by"] else None,
        duration_s=row["duration_s"],
        price=row["price"] or "",
        provider_recordings=tuple(_provider_recording_of(recording) for recording in recordings),
        language=row["language"] or "",
    )


def turn_row(turn: Turn) -> dict[str, Any]:
    return {
        "number": turn.number,
        "heard": None if turn.heard is None else storable(turn.heard),
        "said": storable(turn.said),
        "outcome": turn.outcome,
        "moments": _numbers(turn.moments),
        "costs": _numbers(turn.costs),
        "citations": [_storable_citation(citation) for citation in turn.citations],
    }


def _turn_of(row: Mapping[str, Any]) -> Turn:
    return Turn(
        number=row["number"],
        heard=row["heard"],
        said=row["said"],
        outcome=TurnOutcome(row["outcome"]),
        moments=_numbers(row["moments"]),
        costs=_numbers(row["costs"]),
        citations=tuple(Citation.from_json(citation) for citation in row["citations"]),
    )


def _storable_citation(citation: Citation) -> dict[str, Any]:
    """What a document calls itself and its parts may hold anything."""
    return {name: storable(value) if isinstance(value, str) else value for name, value in citation.to_json().items()}


def provider_recording_row(recording: ProviderRecording) -> dict[str, Any]:
    return {
        "name": storable(recording.name),
        "url": storable(recording.url),
        "state": recording.state,
        "duration_ms": recording.duration_ms,
        "container": recording.container or None,
        "blob": recording.blob or None,
    }


def _provider_recording_of(row: Mapping[str, Any]) -> ProviderRecording:
    return ProviderRecording(
        name=row["name"],
        url=row["url"],
        state=RecordingState(row["state"]),
        duration_ms=row["duration_ms"],
        container=row["container"] or "",
        blob=row["blob"] or "",
    )


def _numbers(amounts: Mapping[str, float]) -> dict[str, float]:
    return {name: float(amount) for name, amount in amounts.items()}


def _recording_of(row: Mapping[str, Any]) -> Recording | None:
    if row["recording_blob"] is None:
        return None
    return Recording(row["recording_container"], row["recording_blob"], row["recording_duration_ms"])


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
