"""Call control objects as Vonage reads them: strictly, and all of one before any of it is done.

Source: https://developer.vonage.com/en/voice/voice-api/ncco-reference
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.ncco_fields import Fields

MAX_BYTES: Final = 256 * 1024
_LONGEST_TALK: Final = 1500


@dataclass(frozen=True)
class Talk:
    text: str
    barge_in: bool
    language: str


@dataclass(frozen=True)
class Stream:
    """Sound from the app's own address."""

    url: str
    barge_in: bool


@dataclass(frozen=True)
class Input:
    wants_speech: bool
    wants_keys: bool
    url: str | None
    language: str
    end_on_silence_s: float
    start_timeout_s: float
    longest_s: float
    most_keys: int
    keys_timeout_s: float
    submit_on_hash: bool


@dataclass(frozen=True)
class Phone:
    number: str
    on_answer: str | None
    dtmf: str


@dataclass(frozen=True)
class WebSocket:
    uri: str
    content_type: str
    headers: Mapping[str, Any]
    authorization: Mapping[str, str]


@dataclass(frozen=True)
class Connect:
    endpoint: Phone | WebSocket
    url: str | None
    is_synchronous: bool
    timeout_s: float
    limit_s: float
    """How long the two may talk."""


@dataclass(frozen=True)
class Record:
    url: str | None
    channels: int
    beeps: bool


@dataclass(frozen=True)
class Notify:
    payload: Mapping[str, Any]
    url: str


@dataclass(frozen=True)
class Wait:
    seconds: float


Action = Talk | Stream | Input | Connect | Record | Notify | Wait


def parse(body: bytes) -> list[Action]:
    """Raises: VonageFault."""
    if len(body) > MAX_BYTES:
        raise _invalid(f"more than {MAX_BYTES} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _invalid("not JSON") from None
    return read(document)


def read(document: object) -> list[Action]:
    """Raises: VonageFault."""
    if not isinstance(document, list):
        raise _invalid("not an array")
    actions = [_action(number, step) for number, step in enumerate(document)]
    for this, following in pairwise([*actions, None]):
        if isinstance(this, Talk | Stream) and this.barge_in and not isinstance(following, Talk | Stream | Input):
            raise _invalid("what may be interrupted must be followed by an input")
    return actions


def _action(number: int, step: object) -> Action:
    if not isinstance(step, dict) or step.get("action") not in _READERS:
        raise _invalid(f"action {number} is of no known kind")
    try:
        return _READERS[step["action"]](Fields(step))
    except ValueError as error:
        raise _invalid(f"action {number} ({step['action']}): {error}") from None


def _talk(fields: Fields) -> Talk:
    fields.only("text", "bargeIn", "loop", "level", "language", "style", "premium")
    text = fields.text("text")
    if not text or len(text) > _LONGEST_TALK:
        raise ValueError(f"text has 1 to {_LONGEST_TALK} characters")
    fields.number("style", 0, 0, 100)
    return Talk(text, fields.flag("bargeIn"), fields.text("language", "en-US"))


def _stream(fields: Fields) -> Stream:
    fields.only("streamUrl", "bargeIn", "loop", "level")
    return Stream(fields.url("streamUrl") or "", fields.flag("bargeIn"))


def _input(fields: Fields) -> Input:
    fields.only("type", "speech", "dtmf", "eventUrl", "eventMethod", "mode")
    kinds = fields.texts("type")
    if not kinds or set(kinds) - {"speech", "dtmf"}:
        raise ValueError("type is a list of speech and dtmf")
    speech, dtmf = fields.inner("speech"), fields.inner("dtmf")
    speech.only(
        "endOnSilence", "startTimeout", "maxDuration", "language", "context", "sensitivity", "saveAudio", "uuid"
    )
    dtmf.only("maxDigits", "timeOut", "submitOnHash")
    fields.post()
    return Input(
        wants_speech="speech" in kinds,
        wants_keys="dtmf" in kinds,
        url=fields.url("eventUrl"),
        language=speech.text("language", "en-US"),
        end_on_silence_s=speech.number("endOnSilence", 2.0, 0.4, 10),
        start_timeout_s=speech.number("startTimeout", 10, 1, 60),
        longest_s=speech.number("maxDuration", 60, 1, 60),
        most_keys=int(dtmf.number("maxDigits", 4, 1, 20)),
        keys_timeout_s=dtmf.number("timeOut", 3, 0, 10),
        submit_on_hash=dtmf.flag("submitOnHash"),
    )


def _connect(fields: Fields) -> Connect:
    fields.only("endpoint", "from", "randomFromNumber", "eventType", "eventUrl", "eventMethod", "timeout", "limit",
                "machineDetection", "advancedMachineDetection", "ringbackTone")  # fmt: skip
    endpoint = fields.single("endpoint")
    kind = endpoint.text("type")
    if kind == "phone":
        endpoint.only("type", "number", "dtmfAnswer", "onAnswer", "shaken")
        fields.phone("from")
        on_answer = endpoint.inner("onAnswer").text("url", "") or None
        target: Phone | WebSocket = Phone(endpoint.phone("number"), on_answer, endpoint.text("dtmfAnswer", ""))
    elif kind == "websocket":
        endpoint.only("type", "uri", "content-type", "headers", "authorization")
        target = _web_socket(endpoint)
    else:
        raise ValueError(f"an endpoint of type {kind!r} is not simulated")
    fields.post()
    synchronous = fields.text("eventType", "") == "synchronous"
    timeout_s, limit_s = fields.number("timeout", 60, 3, 7200), fields.number("limit", 7200, 1, 7200)
    return Connect(target, fields.url("eventUrl"), synchronous, timeout_s, limit_s)


def _web_socket(endpoint: Fields) -> WebSocket:
    uri, kind = endpoint.text("uri"), endpoint.text("content-type")
    if not uri.startswith(("ws://", "wss://")):
        raise ValueError("uri is ws:// or wss://")
    if kind not in ("audio/l16;rate=8000", "audio/l16;rate=16000", "audio/l16;rate=24000"):
        raise ValueError(f"content-type {kind!r} is not one of L16 at 8, 16 or 24 kHz")
    headers = endpoint.inner("headers").all
    if len(json.dumps(headers)) > 512:
        raise ValueError("headers have at most 512 bytes")
    authorization = endpoint.inner("authorization")
    authorization.only("type", "value")
    if authorization.all and authorization.text("type") not in ("vonage", "custom"):
        raise ValueError("authorization is of type vonage or custom")
    return WebSocket(uri, kind, headers, authorization.all)


def _record(fields: Fields) -> Record:
    fields.only("format", "split", "channels", "endOnSilence", "endOnKey", "timeOut", "beepStart", "eventUrl",
                "eventMethod", "transcription")  # fmt: skip
    fields.post()
    if fields.text("split", "conversation") != "conversation":
        raise ValueError("split is conversation")
    channels = int(fields.number("channels", 2 if "split" in fields.all else 1, 1, 32))
    return Record(fields.url("eventUrl"), min(channels, 2), fields.flag("beepStart"))


def _notify(fields: Fields) -> Notify:
    fields.only("payload", "eventUrl", "eventMethod")
    fields.post()
    url = fields.url("eventUrl")
    if url is None:
        raise ValueError("eventUrl is missing")
    return Notify(fields.inner("payload").all, url)


def _wait(fields: Fields) -> Wait:
    fields.only("timeout")
    return Wait(fields.number("timeout", 10, 0.1, 7200))


_READERS: Final[Mapping[str, Callable[[Fields], Action]]] = {
    "talk": _talk,
    "stream": _stream,
    "input": _input,
    "connect": _connect,
    "record": _record,
    "notify": _notify,
    "wait": _wait,
}


def _invalid(message: str) -> VonageFault:
    return VonageFault("ncco", f"Syntax error in NCCO. {message}")
