"""The providers whose webhooks are tried in `test_webhooks.py`: how a request is signed, and what is read from it.

To join, add a `Door` to `DOORS`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from shared.adapters.connect import signature as connect_signature
from shared.adapters.connect.desk import ConnectDesk
from shared.adapters.connect.webhooks import ConnectWebhooks
from shared.adapters.sarvam import passes
from shared.adapters.sarvam.desk import SarvamDesk
from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.events import TwilioWebhook
from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.adapters.vonage.signature import SigningAccounts
from shared.adapters.vonage.webhooks import VonageRequest, VonageWebhooks
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.text_turns import Next, TextReply
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeOnce, FakeShortMemory
from tests.shared.adapters.connect import events as connect_made
from tests.shared.adapters.sarvam import bodies as sarvam_made
from tests.shared.adapters.twilio import requests as twilio_made
from tests.shared.adapters.vonage import signed as vonage_made

Document = Mapping[str, Any]
CURRENT, BEFORE, STRANGERS = "current-" * 5, "before-" * 6, "strangers-" * 4
BODY, ADDRESS = "body", "address"
REPLY = TextReply(1, ("One moment.",), 1, Next.LISTEN, "en", "default")


@dataclass(frozen=True)
class Sent:
    """A request as it arrives."""

    path: str
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Reader = Callable[[Sent], Awaitable[list[Any]]]


@dataclass(frozen=True)
class Door:
    """`made`: documents as the provider sends them. `sent`: a body signed by that secret at that moment (Unix s).
    `open`: lets in by these secrets, the current one first, and reads all that it can. `is_once`: whether a
    repetition is turned away at the door; else it changes nothing further in. `window_s`: how long before and after
    our time a request may be made, where it says when it was. `binds`: what the signature covers.
    """

    name: str
    made: tuple[Document, ...]
    body_of: Callable[[Document], bytes]
    sent: Callable[[bytes, str, float], Sent]
    open: Callable[[tuple[str, ...], FakeClock], Reader]
    is_once: bool = False
    window_s: tuple[int, int] | None = None
    binds: frozenset[str] = frozenset({BODY, ADDRESS})


def _json(document: Document) -> bytes:
    return json.dumps(document).encode()


async def _all_of(*deeds: Callable[[], Any]) -> list[Any]:
    """What each gives. Where one finds nothing to read, it says so with the one error that it may."""
    found = []
    for deed in deeds:
        with suppress(InvalidRequest):
            given = deed()
            found.append(await given if isinstance(given, Awaitable) else given)
    return found


# Twilio

_TURN = "/api/webhooks/twilio/turn?call=call-1&turn=2&after=1"
_PERSON = f"/api/webhooks/twilio/person/told?caller={twilio_made.CALL_SID}"
TWILIO_FORMS: tuple[dict[str, str], ...] = (
    twilio_made.FORM | {"StirVerstat": "TN-Validation-Passed-A", "ForwardedFrom": "+14155550111"},
    twilio_made.FORM | {"CallStatus": "completed", "CallDuration": "61", "SequenceNumber": "3", "Timestamp": "now"},
    twilio_made.FORM | {"SpeechResult": "to move it", "Confidence": "0.93", "Language": "en-IN", "Digits": ""},
    twilio_made.FORM | {"RecordingSid": "RE1", "RecordingUrl": "https://x.example/1", "RecordingDuration": "3"},
    twilio_made.FORM | {"AnsweredBy": "machine_end_beep", "MachineDetectionDuration": "3000"},
    twilio_made.FORM | {"DialCallStatus": "no-answer", "DialCallSid": "CA" + "b" * 32, "DialBridged": "false"},
    twilio_made.FORM | {"SessionId": "VX1", "SessionStatus": "ended", "HandoffData": '{"to":"+14155550199"}'},
    twilio_made.FORM | {"StreamSid": "MZ1", "StreamEvent": "stream-error", "StreamError": "x", "ErrorCode": "31921"},
)


def _twilio_form(document: Document) -> bytes:
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in document.items()}
    return urlencode(texts, errors="replace").encode()


def _twilio_sent(body: bytes, secret: str, _now_s: float) -> Sent:
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True, errors="replace"))
    headers = twilio_made.signed_headers(secret, twilio_made.BASE + _PERSON, form)
    return Sent(_PERSON, twilio_made.FORM_TYPE, body, headers)


def _twilio_json_sent(body: bytes, secret: str, _now_s: float, settings: str = "") -> Sent:
    path = f"{_TURN}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = twilio_made.signed_headers(secret, twilio_made.BASE + path, settings=settings)
    return Sent(path, twilio_made.JSON_TYPE, body, headers)


def _twilio_key_sent(body: bytes, secret: str, now_s: float) -> Sent:
    return _twilio_json_sent(body, secret, now_s, "key=key-1,algorithm=HMAC_SHA256")


def _twilio_tokens(secrets: tuple[str, ...], _clock: FakeClock) -> Reader:
    return _twilio_open(TwilioAccount(twilio_made.ACCOUNT, secrets))


def _twilio_key(secrets: tuple[str, ...], _clock: FakeClock) -> Reader:
    return _twilio_open(TwilioAccount(twilio_made.ACCOUNT, ("t" * 32,), {"key-1": secrets[0]}))


def _twilio_open(account: TwilioAccount) -> Reader:
    sockets = (twilio_made.MEDIA, twilio_made.RELAY)
    accounts = TwilioAccounts(account)
    webhooks = TwilioWebhooks(accounts=accounts, public_base_url=twilio_made.BASE, socket_urls=sockets)

    async def read(sent: Sent) -> list[Any]:
        webhook = webhooks.verify(
            path_and_query=sent.path, content_type=sent.content_type, body=sent.body, headers=sent.headers
        )
        return [webhook, *await _all_of(*_of_twilio(webhook))]

    return read


def _of_twilio(webhook: TwilioWebhook) -> tuple[Callable[[], Any], ...]:
    return (
        *(webhook.incoming, webhook.progressed, webhook.answered_by, webhook.spoken, webhook.recorded),
        *(webhook.transfer_ended, webhook.left, webhook.stayed, webhook.fault),
        lambda: webhook.put_through(was_answered=True),
        lambda: (webhook.session_id, webhook.stream_sid, webhook.has_stopped, webhook.handoff, webhook.language),
        lambda: (webhook.call_id, webhook.comes_again, webhook.turn, webhook.after, webhook.caller_sid),
    )


# Vonage

VONAGE_EVENTS: tuple[Document, ...] = (
    vonage_made.ANSWER,
    vonage_made.ANSWER
    | {"status": "completed", "duration": "67", "price": "0.005", "timestamp": "2026-11-22T10:01Z"},
    {"status": "machine", "sub_state": "beep_start", "call_uuid": vonage_made.LEG, "timestamp": 5},
    {"speech": {"results": [{"text": "sales", "confidence": "0.94"}]}, "dtmf": {"digits": None}, "uuid": "x"},
    {"recording_url": "https://api.nexmo.com/v1/files/1", "recording_uuid": "r", "start_time": "", "end_time": "x"},
    {"status": "disconnected", "to": "wss://media.example.com", "uuid": vonage_made.OTHER_LEG},
    {"reason": "Syntax error in NCCO", "conversation_uuid": "CON-1"},
    {"payload": {"turn": "1", "told": "2"}, "uuid": vonage_made.LEG},
)


def _vonage_sent(body: bytes, secret: str, now_s: float) -> Sent:
    token = vonage_made.authorization(body, now_s, secret=secret or "\0")  # which HMAC pads to the same key
    return Sent("/api/webhooks/vonage/event", "application/json", body, {"authorization": token})


def _vonage_open(secrets: tuple[str, ...], clock: FakeClock) -> Reader:
    accounts = SigningAccounts({vonage_made.API_KEY: secrets}, vonage_made.APPLICATION)
    webhooks = VonageWebhooks(accounts, FakeOnce(clock), clock)

    async def read(sent: Sent) -> list[Any]:
        request = await webhooks.verify(
            content_type=sent.content_type, body=sent.body, authorization=sent.headers.get("authorization")
        )
        return [request, *await _all_of(*_of_vonage(request))]

    return read


def _of_vonage(request: VonageRequest) -> tuple[Callable[[], Any], ...]:
    leg = vonage_made.LEG
    return (
        lambda: (request.caller, request.callee, request.comes_again, request.socket_broke, request.is_about(leg)),
        lambda: request.leg,
        lambda: request.events(""),
        lambda: request.events(leg),
        lambda: request.words(2),
        lambda: request.transfer_news(leg),
        lambda: request.notes("call-1", "+15550100001"),
    )


# Amazon Connect

_CONNECT_PATH = "/api/webhooks/connect/turn"
_STREAM = {"Customer": {"Audio": {"StreamARN": connect_made.STREAM, "StartFragmentNumber": "913"}}}
CONNECT_EVENTS: tuple[Document, ...] = (
    connect_made.flow_event({"op": "begin"}, MediaStreams=_STREAM),
    connect_made.flow_event({"op": "turn", "turn": "3", "told": "1", "words": "move it", "keys": "", "mode": "turn"}),
    connect_made.flow_event({"op": "gateway", "number": "+15550100011"}),
    connect_made.lex_event(),
    connect_made.lex_event("12#", mode="DTMF", asked="words:1", answered_ms="5"),
    connect_made.contact_event("DISCONNECTED", disconnectReason="CUSTOMER_DISCONNECT"),
    connect_made.contact_event("INITIATED", initiationMethod="API", answeringMachineDetectionStatus="ANSWERED"),
)


def _connect_body(document: Document) -> bytes:
    return _json({"request_id": "r1", "remaining_ms": 4900, "event": document})


def _connect_sent(body: bytes, secret: str, now_s: float) -> Sent:
    nonce = hashlib.sha256(body + str(now_s).encode()).hexdigest()[:32]
    parts = {"timestamp": str(int(now_s)), "nonce": nonce}
    made = connect_signature.signature(secret, method="POST", path=_CONNECT_PATH, body=body, **parts)
    headers = {connect_signature.TIMESTAMP: parts["timestamp"], connect_signature.NONCE: nonce}
    return Sent(_CONNECT_PATH, "application/json", body, headers | {connect_signature.SIGNATURE: made})


def _connect_open(secrets: tuple[str, ...], clock: FakeClock) -> Reader:
    def desk() -> ConnectDesk:
        return ConnectDesk(
            ConnectWebhooks(
                secrets=secrets,
                instance_arns=frozenset({connect_made.INSTANCE}),
                once=FakeOnce(clock),
                now_s=lambda: clock.now_ms() / 1000,
            )
        )

    first = desk()

    async def read(sent: Sent) -> list[Any]:
        path, headers, body = sent.path, sent.headers, sent.body
        brought = await first.webhooks.verify(method="POST", path=path, headers=headers, body=body)

        async def flow() -> list[Any]:
            question = (await desk().flow(path, headers, body)).question
            told = first.tell_flow(REPLY, question)
            return [question, question.incoming(), question.back(), question.spoke(), question.our_call_id, told]

        async def lex() -> list[Any]:
            question = (await desk().lex(path, headers, body, clock.now_ms())).question
            return [question, question.spoke(), first.tell_lex(REPLY, question, clock.now_ms())]

        return [brought, *await _all_of(flow, lex, lambda: desk().contact_event(path, headers, body))]

    return read


# Sarvam, whose tools and hooks bear a secret of ours, and which signs results where the workspace says so

SARVAM_BODIES: tuple[Document, ...] = (
    {"context": sarvam_made.context()},
    {"context": sarvam_made.context(internal_variables=sarvam_made.internal(2, 1)), "utterance": "नमस्ते"},
    sarvam_made.result(),
    {"interaction_id": "i-2", "user_identifier": "14155550100", "language": "hi-IN", "utterance": "hello"},
)


def _sarvam_sent(body: bytes, secret: str, _now_s: float) -> Sent:
    return Sent("/api/webhooks/sarvam/turn", "application/json", body, {"authorization": f"Bearer {secret}"})


def _sarvam_open(secrets: tuple[str, ...], clock: FakeClock) -> Reader:
    desk = SarvamDesk(secrets, FakeShortMemory(), clock)

    async def read(sent: Sent) -> list[Any]:
        desk.check(sent.headers.get("authorization", ""))
        return await _of_sarvam(desk, sent.body)

    return read


def _sarvam_result_sent(body: bytes, secret: str, now_s: float) -> Sent:
    timestamp = str(int(now_s))
    tag = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {passes.TIMESTAMP_HEADER: timestamp, passes.SIGNATURE_HEADER: tag}
    return Sent("/api/webhooks/sarvam/result", "application/json", body, headers)


def _sarvam_result_open(secrets: tuple[str, ...], clock: FakeClock) -> Reader:
    desk = SarvamDesk(("o" * 32,), FakeShortMemory(), clock, secrets)

    async def read(sent: Sent) -> list[Any]:
        desk.check_result(sent.headers, sent.body)
        return await _of_sarvam(desk, sent.body)

    return read


async def _of_sarvam(desk: SarvamDesk, body: bytes) -> list[Any]:
    async def turn() -> list[Any]:
        utterance, number = await desk.utterance(body)
        return [utterance, number, desk.tell_turn(utterance, "call-1", REPLY)]

    def start() -> list[Any]:
        interaction = desk.start(body)
        return [interaction, desk.tell_start(interaction, "call-1", REPLY)]

    return [desk.outline(body), *await _all_of(start, turn, lambda: desk.end(body), lambda: desk.result(body))]


_DAY_S = 24 * 3600

DOORS = (
    Door("twilio", TWILIO_FORMS, _twilio_form, _twilio_sent, _twilio_tokens),
    Door("twilio-json", TWILIO_FORMS, _json, _twilio_json_sent, _twilio_tokens),
    Door("twilio-key", TWILIO_FORMS, _json, _twilio_key_sent, _twilio_key),
    Door("vonage", VONAGE_EVENTS, _json, _vonage_sent, _vonage_open, True, (300, 60), frozenset({BODY})),
    Door("connect", CONNECT_EVENTS, _connect_body, _connect_sent, _connect_open, True, (300, 300)),
    Door("sarvam", SARVAM_BODIES, _json, _sarvam_sent, _sarvam_open, binds=frozenset()),
    Door(
        "sarvam-result",
        SARVAM_BODIES,
        _json,
        _sarvam_result_sent,
        _sarvam_result_open,
        window_s=(_DAY_S, 300),
        binds=frozenset({BODY}),
    ),
)
