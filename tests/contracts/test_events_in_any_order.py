"""What each provider tells of one call, as it tells it: in whatever order and however often, it comes to one end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.connect.contact_events import read_contact_event
from shared.adapters.sarvam.results import read_result
from shared.adapters.twilio.events import TwilioWebhook
from shared.adapters.vonage.events import call_events
from shared.domain.telephony.events import CallAnsweredBy, CallProgressed, TelephonyEvent
from shared.domain.telephony.progress import AnsweredBy, CallState, Standing
from tests.shared.adapters.connect.events import CONTACT, contact_event
from tests.shared.adapters.sarvam.bodies import result
from tests.shared.adapters.twilio.requests import ACCOUNT, CALL_SID
from tests.shared.adapters.vonage.signed import LEG, OTHER_LEG

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Telling:
    """`course`: how a call that we placed goes on; `aside`: what is told beside it and must not end it, or move it
    further than in progress; `ends`: how it may end, and what that is called by all.
    """

    read: Callable[[Raw], Iterable[TelephonyEvent | None]]
    course: tuple[Raw, ...]
    aside: tuple[Raw, ...]
    ends: tuple[tuple[Raw, CallState], ...]
    by: AnsweredBy | None = None


def _twilio(form: Raw) -> list[TelephonyEvent | None]:
    webhook = TwilioWebhook(ACCOUNT, CALL_SID, form)
    return [webhook.progressed(), webhook.answered_by(), webhook.recorded()]


TWILIO = Telling(
    _twilio,
    tuple({"CallStatus": status} for status in ("queued", "initiated", "ringing", "in-progress", "answered")),
    (
        {"AnsweredBy": "machine_start"},
        {"AnsweredBy": "machine_end_beep"},
        {"AnsweredBy": "human"},
        {"AnsweredBy": "unknown"},
        {"StreamEvent": "stream-stopped"},
        {"CallStatus": "in-progress", "DialCallStatus": "completed"},
        {"RecordingStatus": "completed", "RecordingUrl": "https://api.twilio.com/1"},
        {"CallStatus": "on-hold"},
        {},
    ),
    (
        ({"CallStatus": "completed", "CallDuration": "61"}, CallState.COMPLETED),
        ({"CallStatus": "busy", "CallDuration": "0"}, CallState.BUSY),
        ({"CallStatus": "no-answer"}, CallState.NO_ANSWER),
        ({"CallStatus": "canceled"}, CallState.CANCELED),
        ({"CallStatus": "failed"}, CallState.FAILED),
    ),
    AnsweredBy.MACHINE,
)


def _vonage(status: str, **more: str) -> Raw:
    return {"status": status, "uuid": LEG, "conversation_uuid": "CON-1", "direction": "outbound"} | more


VONAGE = Telling(
    lambda document: call_events(document, leg=LEG),
    tuple(_vonage(status) for status in ("started", "ringing", "answered")),
    (
        {"status": "machine", "call_uuid": LEG},
        {"status": "machine", "call_uuid": LEG, "sub_state": "beep_start"},
        {"status": "human", "call_uuid": LEG},
        _vonage("disconnected", to="wss://media.example.com/v", uuid=OTHER_LEG),
        _vonage("disconnected"),
        _vonage("completed", to="wss://media.example.com/v"),
        _vonage("completed", uuid=OTHER_LEG, duration="5"),
        _vonage("failed", uuid=OTHER_LEG),
        {"conversation_uuid_from": "CON-1", "conversation_uuid_to": "CON-2", "uuid": LEG},
        {"recording_url": "https://api.nexmo.com/v1/files/1", "conversation_uuid": "CON-1"},
        {"reason": "Syntax error in NCCO"},
        {"speech": {"results": []}, "uuid": LEG},
    ),
    (
        (_vonage("completed", duration="61", price="0.01"), CallState.COMPLETED),
        (_vonage("busy"), CallState.BUSY),
        (_vonage("rejected", detail="declined"), CallState.BUSY),
        (_vonage("rejected", detail="invalid_number"), CallState.FAILED),
        (_vonage("rejected", detail="restricted"), CallState.FAILED),
        (_vonage("failed", detail="cannot_route"), CallState.FAILED),
        (_vonage("unanswered", detail="timeout"), CallState.NO_ANSWER),
        (_vonage("timeout"), CallState.NO_ANSWER),
        (_vonage("cancelled"), CallState.CANCELED),
    ),
    AnsweredBy.MACHINE,
)


def _contact(kind: str, **detail: str) -> Raw:
    return contact_event(kind, **({"initiationMethod": "API"} | detail))


_JOINED = {
    "connectedToSystemTimestamp": "2026-11-22T20:00:05.000Z",
    "disconnectTimestamp": "2026-11-22T20:01:06.000Z",
}
CONNECT = Telling(
    lambda document: read_contact_event(document).news,
    tuple(_contact(kind) for kind in ("INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "CONNECTED_TO_AGENT")),
    (
        _contact("CONTACT_DATA_UPDATED"),
        _contact("PAUSED"),
        _contact("DISCONNECTED", contactId=CONTACT.replace("1", "2"), **_JOINED),
        _contact("DISCONNECTED", channel="CHAT"),
        _contact("CONNECTED_TO_SYSTEM", answeringMachineDetectionStatus="VOICEMAIL_BEEP"),
        _contact("CONNECTED_TO_SYSTEM", answeringMachineDetectionStatus="HUMAN_ANSWERED"),
    ),
    (
        (_contact("DISCONNECTED", disconnectReason="CUSTOMER_DISCONNECT", **_JOINED), CallState.COMPLETED),
        (_contact("COMPLETED", **_JOINED), CallState.COMPLETED),
        (_contact("DISCONNECTED", answeringMachineDetectionStatus="SIT_TONE_BUSY"), CallState.BUSY),
        (_contact("DISCONNECTED", answeringMachineDetectionStatus="AMD_UNANSWERED"), CallState.NO_ANSWER),
        (_contact("DISCONNECTED", answeringMachineDetectionStatus="SIT_TONE_INVALID_NUMBER"), CallState.FAILED),
        (_contact("DISCONNECTED", disconnectReason="TELECOM_PROBLEM"), CallState.FAILED),
        (_contact("DISCONNECTED"), CallState.NO_ANSWER),
        (_contact("DISCONNECTED", disconnectReason="API"), CallState.CANCELED),
    ),
    AnsweredBy.MACHINE,
)
SARVAM = Telling(
    lambda document: [read_result(document).progress],
    (),
    (),
    (
        (result(), CallState.COMPLETED),
        (result(status="no_answer"), CallState.NO_ANSWER),
        (result(status="busy"), CallState.BUSY),
        (result(status="failed"), CallState.FAILED),
        (result(status=None, connectivity_status="connected", completion_status="partial"), CallState.COMPLETED),
        (result(status=None, connectivity_status=None, completion_status="failed"), CallState.FAILED),
    ),
)
_LESS = settings(max_examples=100, deadline=None, derandomize=True)
TELLINGS = {"twilio": TWILIO, "vonage": VONAGE, "connect": CONNECT, "sarvam": SARVAM}


def standing(telling: Telling, told: Iterable[Raw]) -> Standing:
    now = Standing()
    for raw in told:
        for event in telling.read(raw):
            match event:
                case CallProgressed():
                    now = now.after(event.progress, duration_s=event.duration_s, price=event.price)
                case CallAnsweredBy():
                    now = now.after(answered_by=event.by)
                case _:
                    continue
    return now


@pytest.mark.parametrize("name", list(TELLINGS))
@given(data=st.data())
@_LESS
def test_a_call_comes_to_its_end(name: str, data: st.DataObject) -> None:
    telling = TELLINGS[name]
    end, expected = data.draw(st.sampled_from(telling.ends))
    everything = [*telling.course, *telling.aside, end]
    again = data.draw(st.lists(st.sampled_from(everything), max_size=8))
    told = data.draw(st.permutations([*everything, *again]))
    found = standing(telling, told)
    assert found == standing(telling, everything)
    assert (found.state, found.answered_by) == (expected, telling.by)


@pytest.mark.parametrize("name", list(TELLINGS))
@given(data=st.data())
@_LESS
def test_nothing_else_ends_it(name: str, data: st.DataObject) -> None:
    telling = TELLINGS[name]
    if telling.course:
        told = data.draw(st.permutations([*telling.course, *telling.aside]))
        assert standing(telling, told).state is CallState.IN_PROGRESS


@pytest.mark.parametrize(
    ("name", "number"), [(name, at) for name, each in TELLINGS.items() for at in range(len(each.ends))]
)
def test_an_end_that_comes_first_stands_and_is_added_to(name: str, number: int) -> None:
    telling = TELLINGS[name]
    end, expected = telling.ends[number]
    for other, _ in telling.ends:
        assert standing(telling, [end, *telling.course, other]).state is expected
