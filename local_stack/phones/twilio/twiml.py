"""The document with which an app tells the carrier what to do with a call, read strictly and safely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast
from urllib.parse import urlsplit, urlunsplit

from local_stack.phones.tones import are_keys
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.twiml_dial import dial
from local_stack.phones.twilio.twiml_xml import MAX_BYTES, Attributes, Element, absolute, read_xml, wrong
from local_stack.phones.twilio.verbs import (
    Action,
    Callback,
    Gather,
    Hangup,
    Pause,
    Play,
    Prompt,
    Record,
    Redirect,
    Reject,
    Relay,
    Say,
    StartRecording,
    Stream,
    Verb,
)

__all__ = ["MAX_BYTES", "absolute", "parse"]

_MAX_PARAMETER_CHARS: Final = 500
_MAX_SAY_CHARS: Final = 4096
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_INTERRUPTIBLE: Final = ("none", "dtmf", "speech", "any", "true", "false")
_RELAY_ATTRIBUTES: Final = (
    "url language ttsLanguage ttsProvider voice transcriptionLanguage transcriptionProvider speechModel "
    "profanityFilter dtmfDetection welcomeGreeting welcomeGreetingLanguage welcomeGreetingInterruptible "
    "partialPrompts interruptible interruptSensitivity preemptible hints intelligenceService debug events "
    "elevenlabsTextNormalization reportInputDuringAgentSpeech speechTimeout eotThreshold ignoreBackchannel "
    "deepgramSmartFormat conversationConfiguration"
)
_GATHER_ATTRIBUTES: Final = (
    "input action method timeout speechTimeout maxSpeechTime profanityFilter finishOnKey numDigits language hints "
    "partialResultCallback partialResultCallbackMethod bargeIn debug actionOnEmptyResult speechModel enhanced"
)
_RECORD_ATTRIBUTES: Final = (
    "action method timeout finishOnKey maxLength playBeep trim recordingStatusCallback recordingStatusCallbackMethod "
    "recordingStatusCallbackEvent transcribe transcribeCallback"
)
_AUTO_SILENCE_MS: Final = 800
"""What `auto` waits for after the last word. Source: none; the carrier does not tell."""


def parse(document: bytes, base_url: str) -> list[Verb]:
    """The verbs in order. Relative addresses are taken from `base_url`. Raises: CarrierFault."""
    root = read_xml(document)
    if root.name != "Response":
        raise CarrierFault(ErrorCode.DOCUMENT_PARSE_FAILURE, f"the root is <{root.name}>, not <Response>")
    return [_verb(element, base_url) for element in root.children]


def _verb(element: Element, base_url: str) -> Verb:
    if element.name not in _READERS:
        raise wrong(f"<{element.name}> is not played by this phone simulator")
    return _READERS[element.name](element, base_url)


def _say(element: Element, base_url: str) -> Say:
    attributes = Attributes(element, base_url, "voice loop language")
    text = " ".join(element.text.split())
    if len(text) > _MAX_SAY_CHARS:
        raise wrong(f"<Say> is longer than {_MAX_SAY_CHARS} characters")
    return Say(text, attributes.text("language", "en-US"), attributes.whole("loop", 1, 0, 1000))


def _play(element: Element, base_url: str) -> Play:
    attributes = Attributes(element, base_url, "loop digits")
    digits, url = attributes.text("digits"), element.text.strip()
    if bool(digits) == bool(url):
        raise wrong("<Play> holds either an address or digits")
    if not are_keys(digits):
        raise wrong(f"<Play digits> is {digits!r}: keys are 0-9, A-D, *, # and the pauses w and W")
    return Play(absolute(url, base_url) if url else None, digits, attributes.whole("loop", 1, 0, 1000))


def _pause(element: Element, base_url: str) -> Pause:
    return Pause(float(Attributes(element, base_url, "length").whole("length", 1, 0, 3600)))


def _redirect(element: Element, base_url: str) -> Redirect:
    method = Attributes(element, base_url, "method").method()
    return Redirect(absolute(element.text.strip(), base_url), method)


def _reject(element: Element, base_url: str) -> Reject:
    return Reject(Attributes(element, base_url, "reason").one_of("reason", ("rejected", "busy"), "rejected"))


def _hangup(element: Element, base_url: str) -> Hangup:
    Attributes(element, base_url, "")
    return Hangup()


def _gather(element: Element, base_url: str) -> Gather:
    attributes = Attributes(element, base_url, _GATHER_ATTRIBUTES)
    prompts: list[Prompt] = []
    for child in element.children:
        if child.name not in ("Say", "Play", "Pause"):
            raise wrong(f"<Gather> holds <{child.name}>; it may hold <Say>, <Play> and <Pause>")
        prompts.append(cast("Prompt", _verb(child, base_url)))
    timeout_s = attributes.whole("timeout", 5, 1, 600)
    patience = attributes.text("speechTimeout", str(timeout_s))
    patience_ms = _AUTO_SILENCE_MS if patience == "auto" else attributes.whole("speechTimeout", timeout_s, 1) * 1000
    digits = attributes.text("numDigits")
    return Gather(
        action=Action(attributes.url("action") or base_url or None, attributes.method()),
        prompts=tuple(prompts),
        inputs=attributes.words("input", ("dtmf", "speech"), "dtmf"),
        timeout_s=timeout_s,
        speech_timeout_ms=patience_ms,
        max_speech_s=attributes.whole("maxSpeechTime", 60, 1, 120),
        finish_on_key=attributes.text("finishOnKey", "#"),
        num_digits=attributes.whole("numDigits", 1, 1, 100) if digits else None,
        language=attributes.text("language", "en-US"),
        barge_in=attributes.flag("bargeIn", True),
        action_on_empty=attributes.flag("actionOnEmptyResult", False),
    )


def _record(element: Element, base_url: str) -> Record:
    attributes = Attributes(element, base_url, _RECORD_ATTRIBUTES)
    events = attributes.words("recordingStatusCallbackEvent", ("in-progress", "completed", "absent"), "completed")
    url = attributes.url("recordingStatusCallback")
    callback = Callback(url, attributes.method("recordingStatusCallbackMethod"), events) if url else None
    return Record(
        action=Action(attributes.url("action") or base_url or None, attributes.method()),
        timeout_s=attributes.whole("timeout", 5, 1, 600),
        finish_on_key=attributes.text("finishOnKey", "1234567890*#"),
        max_length_s=attributes.whole("maxLength", 3600, 1, 14_400),
        play_beep=attributes.flag("playBeep", True),
        callback=callback,
    )


def _start(element: Element, base_url: str) -> StartRecording:
    """Source: https://www.twilio.com/docs/voice/twiml/start/recording"""
    Attributes(element, base_url, "action method")
    if len(element.children) != 1 or element.children[0].name != "Recording":
        raise wrong("<Start> holds something else than one <Recording>; nothing else is started here")
    attributes = Attributes(
        element.children[0], base_url,
        "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent trim track channels",
    )  # fmt: skip
    events = attributes.words("recordingStatusCallbackEvent", ("in-progress", "completed", "absent"), "completed")
    url = attributes.url("recordingStatusCallback")
    return StartRecording(
        Callback(url, attributes.method("recordingStatusCallbackMethod"), events) if url else None,
        2 if attributes.one_of("channels", ("mono", "dual"), "mono") == "dual" else 1,
        attributes.one_of("track", ("inbound", "outbound", "both"), "both"),
    )


def _connect(element: Element, base_url: str) -> Verb:
    attributes = Attributes(element, base_url, "action method")
    if len(element.children) != 1 or element.children[0].name not in ("Stream", "ConversationRelay"):
        nouns = ", ".join(f"<{child.name}>" for child in element.children) or "nothing"
        raise wrong(f"<Connect> holds {nouns} instead of one <Stream> or <ConversationRelay>")
    noun, action = element.children[0], Action(attributes.url("action"), attributes.method())
    if noun.name == "ConversationRelay":
        return _relay(noun, base_url, action)
    stream = Attributes(noun, base_url, "url name track statusCallback statusCallbackMethod connectorName")
    if stream.text("track", "inbound_track") != "inbound_track":
        raise wrong("<Connect><Stream> carries inbound_track only")
    return Stream(
        url=_socket_url(noun, with_query=False),
        name=stream.text("name"),
        parameters=dict(_parameter(child, base_url) for child in noun.children),
        status_callback=stream.url("statusCallback"),
        status_callback_method=stream.method("statusCallbackMethod"),
        action=action.url,
        action_method=action.method,
    )


def _relay(element: Element, base_url: str, action: Action) -> Relay:
    """Source: https://www.twilio.com/docs/voice/twiml/connect/conversationrelay"""
    attributes = Attributes(element, base_url, _RELAY_ATTRIBUTES)
    parameters, languages = {}, set()
    for child in element.children:
        if child.name == "Language":
            names = "code ttsProvider voice transcriptionProvider speechModel"
            languages.add(Attributes(child, base_url, names).text("code"))
        else:
            name, value = _parameter(child, base_url)
            parameters[name] = value
    patience = attributes.text("speechTimeout", "auto")
    language = attributes.text("language", "en-US")
    return Relay(
        url=_socket_url(element, with_query=True),
        parameters=parameters,
        action=action,
        language=attributes.text("ttsLanguage") or language,
        transcription_language=attributes.text("transcriptionLanguage") or language,
        welcome_greeting=attributes.text("welcomeGreeting"),
        welcome_interruptible=_interruptible(attributes, "welcomeGreetingInterruptible"),
        interruptible=_interruptible(attributes, "interruptible"),
        interrupt_sensitivity=attributes.one_of("interruptSensitivity", ("high", "medium", "low"), "high"),
        ignore_backchannel=attributes.flag("ignoreBackchannel", False),
        preemptible=attributes.flag("preemptible", False),
        reports_during_speech=attributes.one_of(
            "reportInputDuringAgentSpeech", ("none", "dtmf", "speech", "any"), "none"
        ),
        dtmf_detection=attributes.flag("dtmfDetection", False),
        events=attributes.words("events", ("speaker-events", "tokens-played"), ""),
        speech_timeout_ms=None if patience == "auto" else attributes.whole("speechTimeout", 500, 100, 10_000),
        languages=frozenset(languages),
    )


def _interruptible(attributes: Attributes, name: str) -> str:
    value = attributes.one_of(name, _INTERRUPTIBLE, "any")
    return {"true": "any", "false": "none"}.get(value, value)


def _socket_url(element: Element, *, with_query: bool) -> str:
    """`<Stream>` loses its query, which the carrier drops. `ws` is let through on this machine only."""
    url = element.attributes.get("url", "")
    parts = urlsplit(url)
    if not parts.hostname:
        raise wrong(f"<{element.name}> has no usable url: {url!r}")
    if parts.scheme != "wss" and not (parts.scheme == "ws" and parts.hostname in _LOOPBACK):
        raise CarrierFault(ErrorCode.STREAM_URL_SCHEME, f"<{element.name} url> must be wss, it is {parts.scheme!r}")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query if with_query else "", ""))


def _parameter(element: Element, base_url: str) -> tuple[str, str]:
    attributes = Attributes(element, base_url, "name value")
    name, value = attributes.text("name"), attributes.text("value")
    if element.name != "Parameter" or not name:
        raise wrong(f"<Connect> holds <{element.name}> without a name")
    if len(name) + len(value) > _MAX_PARAMETER_CHARS:
        raise wrong(f"<Parameter> {name!r} is longer than {_MAX_PARAMETER_CHARS} characters")
    return name, value


_READERS: Final[Mapping[str, Callable[[Element, str], Verb]]] = {
    "Connect": _connect,
    "Dial": dial,
    "Gather": _gather,
    "Hangup": _hangup,
    "Pause": _pause,
    "Play": _play,
    "Record": _record,
    "Redirect": _redirect,
    "Reject": _reject,
    "Say": _say,
    "Start": _start,
}
