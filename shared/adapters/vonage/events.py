"""Vonage's event webhooks in the common language of all providers; what is unknown is passed over, never refused.

Source: https://developer.vonage.com/en/voice/voice-api/webhook-reference#event-webhook
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.vonage.parties import leg_of
from shared.domain.call import Provider
from shared.domain.telephony.events import (
    AnsweredBy,
    CallAnsweredBy,
    CallerSpoke,
    CallProgressed,
    Progress,
    ProviderFault,
    RecordingReady,
    TelephonyEvent,
    TransferEnded,
)

PROGRESS: Mapping[str, Progress] = {
    "started": Progress.QUEUED,
    "ringing": Progress.RINGING,
    "answered": Progress.IN_PROGRESS,
    "completed": Progress.COMPLETED,
    "busy": Progress.BUSY,
    "cancelled": Progress.CANCELED,
    "unanswered": Progress.NO_ANSWER,
    "timeout": Progress.NO_ANSWER,
    "rejected": Progress.FAILED,
    "failed": Progress.FAILED,
}
_DECLINED = "declined"
_GREETED = ("beep_start", "beep_timeout")
"""The machine records: it has beeped, or it has said nothing more for so long that it must."""
_ANSWERED_BY: Mapping[str, AnsweredBy] = {"human": AnsweredBy.HUMAN, "machine": AnsweredBy.MACHINE}
_TAKEN: Mapping[str, bool] = {
    **dict.fromkeys(("answered", "completed"), True),
    **dict.fromkeys(("busy", "cancelled", "unanswered", "timeout", "rejected", "failed"), False),
}
"""Of the leg that is dialled for a caller: whether somebody was there."""
_HOSTS = ("vonage.com", "nexmo.com")
_SOCKETS = ("ws:", "wss:")
_KEYS = re.compile(r"[0-9*#]{1,20}")
_MAX_WORDS = 8_000
_MAX_DETAIL = 200
_MAX_PRICE, _MAX_URL = 64, 2_000


def call_events(document: Mapping[str, Any], *, leg: str = "") -> tuple[TelephonyEvent, ...]:
    """What an event says of a call. `leg`: the caller's, where our address names it, since a recording does not.

    Nothing for the legs that lead to our socket: that one of them closes is not the end of the call.
    """
    at_ms = _at_ms(document)
    own = leg_of(document)
    status = document.get("status")
    if not isinstance(status, str):
        return _without_status(document, leg or own, at_ms)
    if is_socket(document) or not own or (leg and leg != own):
        return ()
    if status in _ANSWERED_BY:
        sub_state = _text(document, "sub_state")
        return (
            CallAnsweredBy(
                *(Provider.VONAGE, own, f"{status}:{sub_state}"),
                _ANSWERED_BY[status],
                beeped=sub_state in _GREETED,
                at_ms=at_ms,
            ),
        )
    if status not in PROGRESS:
        return ()
    detail = _text(document, "detail")
    progress = Progress.BUSY if status == "rejected" and detail == _DECLINED else PROGRESS[status]
    return (
        CallProgressed(
            *(Provider.VONAGE, own, status),
            progress,
            f"{status} {detail}".strip(),
            duration_s=_number(document.get("duration")),
            price=_text(document, "price")[:_MAX_PRICE],
            at_ms=at_ms,
        ),
    )


def is_socket(document: Mapping[str, Any]) -> bool:
    """Whether it is about a leg that leads to our media socket."""
    parties = (_text(document, "to"), _text(document, "from"))
    return document.get("status") == "disconnected" or any(each.startswith(_SOCKETS) for each in parties)


def transfer_news(document: Mapping[str, Any], leg: str) -> TransferEnded | None:
    """Whether somebody has taken the caller at `leg`, told of the other leg, which was dialled for that; None before
    it is decided.
    """
    was_answered = _TAKEN.get(_text(document, "status"))
    if was_answered is None or leg_of(document) == leg:
        return None
    key = f"transfer:{leg_of(document)}:{was_answered}"
    return TransferEnded(Provider.VONAGE, leg, key, was_answered, at_ms=_at_ms(document))


def caller_words(document: Mapping[str, Any], turn: int, language: str = "") -> CallerSpoke:
    """What the caller said or pressed; empty where neither came in time, or the hearing did not work."""
    speech, dtmf = document.get("speech"), document.get("dtmf")
    text, confidence = _best(speech.get("results") if isinstance(speech, dict) else None)
    keys = dtmf.get("digits") if isinstance(dtmf, dict) else None
    keys = keys if isinstance(keys, str) and _KEYS.fullmatch(keys) else ""
    return CallerSpoke(
        *(Provider.VONAGE, leg_of(document), f"turn:{turn}"),
        text=text,
        turn=turn,
        language=language,
        keys=keys,
        confidence=confidence,
        at_ms=_at_ms(document),
    )


def is_vonage(url: str) -> bool:
    """Whether the address is Vonage's: only there our application's token may be sent."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_theirs = any(host == each or host.endswith(f".{each}") for each in _HOSTS)
    return parts.scheme == "https" and is_theirs and port in (None, 443) and "@" not in parts.netloc


def _without_status(document: Mapping[str, Any], leg: str, at_ms: float | None) -> tuple[TelephonyEvent, ...]:
    url = _text(document, "recording_url")
    if url and leg and len(url) <= _MAX_URL:
        start, end = (_moment_ms(_text(document, name)) for name in ("start_time", "end_time"))
        duration_s = (end - start) / 1000 if start is not None and end is not None and end >= start else None
        key = f"recording:{_text(document, 'recording_uuid')}"
        return (RecordingReady(Provider.VONAGE, leg, key, url, duration_s, at_ms=at_ms),)
    if reason := _text(document, "reason"):
        return (ProviderFault(Provider.VONAGE, leg, f"fault:{reason[:40]}", "vonage", reason[:_MAX_DETAIL]),)
    return ()


def _best(results: object) -> tuple[str, float | None]:
    """The likeliest words; Vonage gives several guesses, with confidences as text."""
    guesses: list[tuple[float, str]] = []
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict) and isinstance(result.get("text"), str) and result["text"].strip():
            guesses.append((_number(result.get("confidence")) or 0.0, result["text"].strip()[:_MAX_WORDS]))
    if not guesses:
        return "", None
    confidence, text = max(guesses, key=lambda guess: guess[0])
    return text, confidence


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """A number that Vonage may have written as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _at_ms(document: Mapping[str, Any]) -> float | None:
    return _moment_ms(_text(document, "timestamp"))


def _moment_ms(written: str) -> float | None:
    try:
        return datetime.fromisoformat(written).timestamp() * 1000
    except (ValueError, OverflowError, OSError):
        return None
