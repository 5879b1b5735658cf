"""Contact events: what Connect tells EventBridge of a contact, at best once, in any order.

Source: https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.adapters.connect.documents import contact_id, needed, text
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.events import AnsweredBy, CallAnsweredBy, CallProgressed, Progress
from shared.domain.telephony.lines import Provider

SOURCE, DETAIL_TYPE = "aws.connect", "Amazon Connect Contact Event"
_OUTBOUND = frozenset({"API", "OUTBOUND", "EXTERNAL_OUTBOUND", "CALLBACK"})
_GOING_ON = {
    "INITIATED": Progress.QUEUED,
    "CONNECTED_TO_SYSTEM": Progress.IN_PROGRESS,
    "QUEUED": Progress.IN_PROGRESS,
    "CONNECTED_TO_AGENT": Progress.IN_PROGRESS,
}
_ENDINGS = frozenset({"DISCONNECTED", "COMPLETED"})
_NEVER_ANSWERED = {
    "OUTBOUND_DESTINATION_ENDPOINT_ERROR": Progress.FAILED,
    "OUTBOUND_RESOURCE_ERROR": Progress.FAILED,
    "OUTBOUND_ATTEMPT_FAILED": Progress.FAILED,
    "EXPIRED": Progress.NO_ANSWER,
    "TELECOM_PROBLEM": Progress.FAILED,
    "API": Progress.CANCELED,
}
"""How a call that nobody took has ended, by its disconnect reason; others: nobody answered."""
_BY = {
    "HUMAN_ANSWERED": AnsweredBy.HUMAN,
    "ANSWERED": AnsweredBy.HUMAN,
    "VOICEMAIL_BEEP": AnsweredBy.MACHINE,
    "VOICEMAIL_NO_BEEP": AnsweredBy.MACHINE,
    "FAX_MACHINE_DETECTED": AnsweredBy.FAX,
    "AMD_UNRESOLVED": AnsweredBy.UNKNOWN,
    "UNDETECTED": AnsweredBy.UNKNOWN,
}
_UNANSWERED = {
    "AMD_UNANSWERED": Progress.NO_ANSWER,
    "SIT_TONE_BUSY": Progress.BUSY,
    "SIT_TONE_DETECTED": Progress.FAILED,
    "SIT_TONE_INVALID_NUMBER": Progress.FAILED,
}


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """`news` in the order in which they are to be noted; empty for an event that says nothing of the call."""

    contact_id: str
    instance_arn: str
    news: tuple[CallProgressed | CallAnsweredBy, ...]


def read_contact_event(document: Any) -> ContactEvent:
    """Unknown types and fields are passed over, as the document asks. Raises: InvalidRequest for another event."""
    detail = needed(document, "detail")
    if (text(document, "source"), text(document, "detail-type")) != (SOURCE, DETAIL_TYPE):
        raise InvalidRequest("event_malformed", "this is no contact event")
    first = contact_id(text(detail, "initialContactId") or text(detail, "contactId"))
    # A transfer makes another contact of the same call; its ends are not the call's.
    concerns_us = text(detail, "channel") in ("VOICE", "") and text(detail, "contactId") in ("", first)
    return ContactEvent(first, text(detail, "instanceArn"), tuple(_news(detail, first)) if concerns_us else ())


def _news(detail: Mapping[str, Any], contact: str) -> list[CallProgressed | CallAnsweredBy]:
    kind, status = text(detail, "eventType"), text(detail, "answeringMachineDetectionStatus")
    at_ms = _ms(text(detail, "eventTimestamp") or text(detail, "disconnectTimestamp"))
    news: list[CallProgressed | CallAnsweredBy] = []
    if status in _BY:
        by, beeped = _BY[status], status == "VOICEMAIL_BEEP"
        news.append(
            CallAnsweredBy(Provider.CONNECT, contact, f"answered_by:{status}", by=by, beeped=beeped, at_ms=at_ms)
        )
    progress, raw, duration_s = _GOING_ON.get(kind), kind, None
    if kind in _ENDINGS:
        reason = text(detail, "disconnectReason")
        progress, raw, duration_s = _end(detail, reason, status), f"{kind} {reason}".strip(), _duration_s(detail)
    if progress is not None:
        key = f"{kind}:{progress}"
        news.append(
            CallProgressed(
                Provider.CONNECT, contact, key, progress=progress, raw=raw, duration_s=duration_s, at_ms=at_ms
            )
        )
    return news


def _end(detail: Mapping[str, Any], reason: str, status: str) -> Progress:
    """A call that we dialled and that was never joined to the flow has not been answered."""
    if status in _UNANSWERED:
        return _UNANSWERED[status]
    is_outbound = text(detail, "initiationMethod") in _OUTBOUND
    if not is_outbound or text(detail, "connectedToSystemTimestamp"):
        return Progress.COMPLETED
    return _NEVER_ANSWERED.get(reason, Progress.NO_ANSWER)


def _duration_s(detail: Mapping[str, Any]) -> float | None:
    began_text = text(detail, "connectedToSystemTimestamp")
    if not began_text and text(detail, "initiationMethod") not in _OUTBOUND:
        began_text = text(detail, "initiationTimestamp")
    began = _ms(began_text)
    ended = _ms(text(detail, "disconnectTimestamp"))
    return None if began is None or ended is None or ended < began else (ended - began) / 1000


def _ms(moment_text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(moment_text)
    except ValueError:
        return None
    return moment.timestamp() * 1000 if moment.tzinfo else None
