"""`<Dial>`: who is to be called for a caller, or which room the caller goes into."""

from __future__ import annotations

from typing import Final

from local_stack.phones.lines import is_phone_number
from local_stack.phones.tones import are_keys
from local_stack.phones.twilio.twiml_xml import Attributes, Element, wrong
from local_stack.phones.twilio.verbs import Action, Callback, Conference, Dial, Number

_DIAL_ATTRIBUTES: Final = (
    "action method timeout hangupOnStar timeLimit callerId record trim recordingStatusCallback "
    "recordingStatusCallbackMethod recordingStatusCallbackEvent answerOnBridge ringTone recordingTrack sequential "
    "referUrl referMethod events"
)
_NUMBER_ATTRIBUTES: Final = (
    "sendDigits url method statusCallbackEvent statusCallback statusCallbackMethod byoc machineDetection "
    "amdStatusCallback amdStatusCallbackMethod machineDetectionTimeout machineDetectionSpeechThreshold "
    "machineDetectionSpeechEndThreshold machineDetectionSilenceTimeout"
)
_CONFERENCE_ATTRIBUTES: Final = (
    "muted beep startConferenceOnEnter endConferenceOnExit waitUrl waitMethod maxParticipants record region coach "
    "trim statusCallbackEvent statusCallback statusCallbackMethod recordingStatusCallback "
    "recordingStatusCallbackMethod recordingStatusCallbackEvent eventCallbackUrl jitterBufferSize participantLabel"
)
_LEG_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
ROOM_EVENTS: Final = ("start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement")
RECORD_MODES: Final = (
    "do-not-record",
    "record-from-answer",
    "record-from-ringing",
    "record-from-answer-dual",
    "record-from-ringing-dual",
    "true",
    "false",
)


def dial(element: Element, base_url: str) -> Dial:
    """Raises: CarrierFault. Source: https://www.twilio.com/docs/voice/twiml/dial"""
    attributes = Attributes(element, base_url, _DIAL_ATTRIBUTES)
    conferences = [child for child in element.children if child.name == "Conference"]
    others = [child for child in element.children if child.name != "Conference"]
    if len(conferences) > 1 or (conferences and others):
        raise wrong("<Dial> holds one <Conference> and nothing else, or <Number>s")
    nouns = tuple(_number(child, base_url) for child in others)
    if not element.children:
        nouns = (Number(_checked(element.text)),)
    caller_id = attributes.text("callerId") or None
    record = attributes.one_of("record", RECORD_MODES, "do-not-record")
    return Dial(
        action=Action(attributes.url("action"), attributes.method()),
        nouns=nouns,
        conference=_conference(conferences[0], base_url) if conferences else None,
        timeout_s=attributes.whole("timeout", 30, 1, 600),
        time_limit_s=attributes.whole("timeLimit", 14_400, 1, 14_400),
        caller_id=_checked(caller_id) if caller_id else None,
        record="do-not-record" if record == "false" else record,
        callback=_callback(
            attributes, "recordingStatusCallback", ("in-progress", "completed", "absent"), "completed"
        ),
        answer_on_bridge=attributes.flag("answerOnBridge", False),
        hangup_on_star=attributes.flag("hangupOnStar", False),
    )


def _number(element: Element, base_url: str) -> Number:
    if element.name != "Number":
        raise wrong(f"<Dial> holds <{element.name}>, which this phone simulator does not call")
    attributes = Attributes(element, base_url, _NUMBER_ATTRIBUTES)
    digits = attributes.text("sendDigits")
    if not are_keys(digits):
        raise wrong(f"<Number sendDigits> is {digits!r}: keys are 0-9, A-D, *, # and the pauses w and W")
    return Number(
        number=_checked(element.text),
        url=attributes.url("url"),
        method=attributes.method(),
        send_digits=digits,
        callback=_callback(attributes, "statusCallback", _LEG_EVENTS, "completed"),
        machine_detection=attributes.one_of("machineDetection", ("", "Enable", "DetectMessageEnd"), ""),
    )


def _conference(element: Element, base_url: str) -> Conference:
    attributes = Attributes(element, base_url, _CONFERENCE_ATTRIBUTES)
    name = element.text.strip()
    if not name or len(name) > 128:
        raise wrong("<Conference> has a name of 1 to 128 characters")
    return Conference(
        name=name,
        start_on_enter=attributes.flag("startConferenceOnEnter", True),
        end_on_exit=attributes.flag("endConferenceOnExit", False),
        muted=attributes.flag("muted", False),
        beep=attributes.one_of("beep", ("true", "false", "onEnter", "onExit"), "true"),
        coach=attributes.text("coach"),
        label=attributes.text("participantLabel"),
        max_participants=attributes.whole("maxParticipants", 250, 2, 250),
        callback=_callback(attributes, "statusCallback", ROOM_EVENTS, "end"),
        wait_url=attributes.url("waitUrl") or ("" if "waitUrl" in element.attributes else None),
        wait_method=attributes.method("waitMethod"),
    )


def _callback(attributes: Attributes, name: str, events: tuple[str, ...], default: str) -> Callback | None:
    url = attributes.url(name)
    wanted = attributes.words(f"{name}Event", events, default)
    return None if url is None else Callback(url, attributes.method(f"{name}Method"), wanted)


def _checked(number: str) -> str:
    if not is_phone_number(number.strip()):
        raise wrong(f"<Dial> cannot call {number.strip()!r}: it is not a number in E.164 form")
    return number.strip()
