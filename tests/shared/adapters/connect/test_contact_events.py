"""Contact events: what they say of a call, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from shared.adapters.connect.contact_events import read_contact_event
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.events import AnsweredBy, CallAnsweredBy, CallProgressed, Progress
from tests.shared.adapters.connect.events import CONTACT, INSTANCE, contact_event
from tests.shared.adapters.connect.test_flow_events import JSON

JOINED = {"connectedToSystemTimestamp": "2026-11-22T20:00:05.000Z"}
ENDED = {"disconnectTimestamp": "2026-11-22T20:01:05.500Z"}
DIALLED = {"initiationMethod": "API"}


def progress(event: dict[str, Any]) -> CallProgressed:
    found = [news for news in read_contact_event(event).news if isinstance(news, CallProgressed)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("INITIATED", Progress.QUEUED),
        ("CONNECTED_TO_SYSTEM", Progress.IN_PROGRESS),
        ("QUEUED", Progress.IN_PROGRESS),
        ("CONNECTED_TO_AGENT", Progress.IN_PROGRESS),
        ("DISCONNECTED", Progress.COMPLETED),
        ("COMPLETED", Progress.COMPLETED),
    ],
)
def test_how_far_a_call_has_come(kind: str, state: Progress) -> None:
    news = progress(contact_event(kind))
    assert (news.progress, news.provider_call_id) == (state, CONTACT)
    assert news.raw.startswith(kind)


@pytest.mark.parametrize(
    ("detail", "state"),
    [
        ({}, Progress.NO_ANSWER),
        (JOINED, Progress.COMPLETED),
        ({"disconnectReason": "OUTBOUND_DESTINATION_ENDPOINT_ERROR"}, Progress.FAILED),
        ({"disconnectReason": "TELECOM_PROBLEM"}, Progress.FAILED),
        ({"disconnectReason": "API"}, Progress.CANCELED),
        ({"answeringMachineDetectionStatus": "SIT_TONE_BUSY"}, Progress.BUSY),
        ({"answeringMachineDetectionStatus": "AMD_UNANSWERED"}, Progress.NO_ANSWER),
        ({"answeringMachineDetectionStatus": "SIT_TONE_INVALID_NUMBER"}, Progress.FAILED),
    ],
)
def test_how_a_call_that_we_dialled_has_ended(detail: dict[str, str], state: Progress) -> None:
    assert progress(contact_event("DISCONNECTED", **DIALLED, **detail)).progress is state


def test_how_long_it_lasted() -> None:
    assert progress(contact_event("DISCONNECTED", **JOINED, **ENDED)).duration_s == 60.5
    assert progress(contact_event("DISCONNECTED", **DIALLED, **ENDED)).duration_s is None
    assert progress(contact_event("DISCONNECTED", disconnectTimestamp="soon")).duration_s is None


@pytest.mark.parametrize(
    ("status", "by", "beeped"),
    [
        ("HUMAN_ANSWERED", AnsweredBy.HUMAN, False),
        ("VOICEMAIL_BEEP", AnsweredBy.MACHINE, True),
        ("VOICEMAIL_NO_BEEP", AnsweredBy.MACHINE, False),
        ("FAX_MACHINE_DETECTED", AnsweredBy.FAX, False),
        ("AMD_UNRESOLVED", AnsweredBy.UNKNOWN, False),
    ],
)
def test_who_took_the_call(status: str, by: AnsweredBy, beeped: bool) -> None:
    news = read_contact_event(contact_event("CONNECTED_TO_SYSTEM", answeringMachineDetectionStatus=status)).news
    assert isinstance(news[0], CallAnsweredBy)
    assert (news[0].by, news[0].beeped) == (by, beeped)


@pytest.mark.parametrize(
    "event",
    [
        contact_event("CONTACT_DATA_UPDATED"),
        contact_event("SOMETHING_NEW"),
        contact_event("DISCONNECTED", channel="CHAT"),
        contact_event("DISCONNECTED", contactId="the-transfer-s-own"),
    ],
)
def test_what_says_nothing_of_the_call(event: dict[str, Any]) -> None:
    read = read_contact_event(event)
    assert (read.news, read.instance_arn) == ((), INSTANCE)


def test_a_repetition_has_the_same_key() -> None:
    assert progress(contact_event("DISCONNECTED")).key == progress(contact_event("DISCONNECTED", **ENDED)).key


@pytest.mark.parametrize(
    "event", [{}, None, [], {"detail": {}}, contact_event("X", contactId="?", initialContactId="?")]
)
def test_what_is_no_contact_event(event: Any) -> None:
    with pytest.raises(InvalidRequest):
        read_contact_event(event)


@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    for event in (document, {**contact_event("DISCONNECTED"), "detail": document}):
        try:
            read_contact_event(event)
        except InvalidRequest:
            continue
