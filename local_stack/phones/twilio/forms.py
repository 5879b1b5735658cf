"""The form fields of the carrier's webhooks, with the blank ones that real requests have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from local_stack.phones.twilio.account import API_VERSION
from local_stack.phones.twilio.options import CallOptions, Direction
from local_stack.phones.twilio.recordings import Recording
from local_stack.phones.twilio.rooms import Participant, Room

Fields = list[tuple[str, str]]

_PARTIES: Final = (("From", "from"), ("Caller", "from"), ("To", "to"), ("Called", "to"))
_PLACES: Final = ("City", "State", "Zip")
_COUNTRIES: Final = (("+1", "US"), ("+44", "GB"), ("+49", "DE"), ("+91", "IN"))


def rfc_2822(epoch_ms: float) -> str:
    """A moment as the carrier writes it: `Sun, 22 Nov 2026 10:00:00 +0000`."""
    return format_datetime(datetime.fromtimestamp(epoch_ms / 1000, UTC))


def voice_fields(options: CallOptions, call_sid: str, call_status: str) -> Fields:
    """The fields of a request for TwiML. City, state and zip stay blank: the carrier seldom knows them."""
    fields = [
        ("AccountSid", options.account.sid),
        ("ApiVersion", API_VERSION),
        ("CallSid", call_sid),
        ("CallStatus", call_status),
        ("Direction", options.direction.value),
    ]
    numbers = {"from": options.from_number, "to": options.to_number}
    for party, side in _PARTIES:
        number = numbers[side]
        fields.append((party, number))
        fields += [(party + place, "") for place in _PLACES]
        fields.append((party + "Country", _country(number)))
    if options.parent_sid is not None:
        fields.append(("ParentCallSid", options.parent_sid))
    if options.direction is Direction.INBOUND:
        fields += [("CallToken", _call_token(call_sid)), ("StirVerstat", "TN-Validation-Passed-A")]
    return fields


@dataclass(frozen=True)
class StatusMoment:
    """What a status callback tells. `duration_s` is known at the end only."""

    call_status: str
    sequence: int
    at_ms: float
    duration_s: int | None


@dataclass(frozen=True)
class StreamMoment:
    """What a stream callback tells. `event` is `stream-started`, `stream-stopped` or `stream-error`."""

    stream_sid: str
    name: str
    event: str
    at_ms: float
    error: str = ""


def status_fields(options: CallOptions, call_sid: str, moment: StatusMoment) -> Fields:
    """`CallDuration` is in seconds, `Duration` in minutes begun."""
    fields = [
        *voice_fields(options, call_sid, moment.call_status),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(moment.sequence)),
        ("Timestamp", rfc_2822(moment.at_ms)),
    ]
    seconds = moment.duration_s
    if seconds is not None:
        fields += [("CallDuration", str(seconds)), ("Duration", str(-(-seconds // 60)))]
    return fields


def stream_fields(options: CallOptions, call_sid: str, moment: StreamMoment) -> Fields:
    at = datetime.fromtimestamp(moment.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    fields = [
        ("AccountSid", options.account.sid),
        ("CallSid", call_sid),
        ("StreamSid", moment.stream_sid),
        ("StreamName", moment.name),
        ("StreamEvent", moment.event),
        ("Timestamp", at.replace("+00:00", "Z")),
    ]
    return [*fields, ("StreamError", moment.error)] if moment.error else fields


def recording_url(api_url: str, recording: Recording) -> str:
    """The address of the sound; with `.wav` or `.mp3` behind it of that format."""
    return f"{api_url}/{API_VERSION}/Accounts/{recording.account_sid}/Recordings/{recording.sid}"


def recording_fields(recording: Recording, api_url: str) -> Fields:
    """Source: https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback"""
    fields = [
        ("AccountSid", recording.account_sid),
        ("CallSid", recording.call_sid),
        ("RecordingSid", recording.sid),
        ("RecordingUrl", recording_url(api_url, recording)),
        ("RecordingStatus", recording.status),
        ("RecordingChannels", str(recording.channels)),
        ("RecordingStartTime", rfc_2822(recording.started_ms)),
        ("RecordingSource", recording.source),
        ("RecordingTrack", recording.track),
        ("ErrorCode", "0"),
    ]
    return fields if recording.is_live else [*fields, ("RecordingDuration", str(recording.duration_s))]


def room_fields(room: Room, event: str, at_ms: float, participant: Participant | None) -> Fields:
    """`event` is `conference-start`, `participant-join` and so on.

    Source: https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback
    """
    fields = [
        ("AccountSid", room.account_sid),
        ("ConferenceSid", room.sid),
        ("FriendlyName", room.name),
        ("StatusCallbackEvent", event),
        ("SequenceNumber", str(room.sequence)),
        ("Timestamp", rfc_2822(at_ms)),
    ]
    if participant is not None:
        fields += [
            ("CallSid", participant.call_sid),
            ("ParticipantLabel", participant.label),
            ("Muted", _yes(participant.member.is_muted)),
            ("Hold", _yes(participant.member.is_held)),
            ("StartConferenceOnEnter", _yes(participant.starts_room)),
            ("EndConferenceOnExit", _yes(participant.ends_room)),
            ("Coaching", _yes(bool(participant.member.heard_only_by))),
        ]
    if event == "conference-end":
        fields.append(("ReasonConferenceEnded", room.reason))
        if room.ended_by is not None:
            fields.append(("CallSidEndingConference", room.ended_by.call_sid))
    return fields


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _country(number: str) -> str:
    return next((country for prefix, country in _COUNTRIES if number.startswith(prefix)), "")


def _call_token(call_sid: str) -> str:
    """Opaque to the app, and full of characters that a careless signature check trips over."""
    return quote(json.dumps({"parentCallInfoToken": f"{call_sid}.e30=", "identityHeaderTokens": []}), safe="")
