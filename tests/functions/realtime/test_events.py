"""Events of Web PubSub: the handshake, the token, the frames, and what is answered."""

from __future__ import annotations

import logging
from typing import Any

import azure.functions as func
import pytest

from functions.realtime import events
from shared.domain.errors import Conflict, InvalidRequest, StoreError, Unauthenticated, VoiceAgentError
from shared.domain.principal import Principal
from shared.ports.media_gate import Reply, Upstream
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

HEADERS = {
    "authorization": "Bearer good",
    "ce-type": "azure.webpubsub.user.audio",
    "ce-hub": "clients",
    "ce-connectionid": "conn-1",
    "ce-id": "7",
    "ce-eventname": "audio",
    "ce-userid": "call-1",
    "ce-connectionstate": "call-1",
}


class FakeGate:
    """Fills the port `MediaGate`."""

    def __init__(self) -> None:
        self.frames: list[Upstream] = []
        self.handled: list[Upstream] = []
        self.is_frame = False
        self.reply = Reply()
        self.error: VoiceAgentError | None = None

    async def pass_frame(self, upstream: Upstream) -> bool:
        if self.error:
            raise self.error
        if self.is_frame:
            self.frames.append(upstream)
        return self.is_frame

    async def handle(self, upstream: Upstream) -> Reply:
        self.handled.append(upstream)
        return self.reply


class FakeUpstreamValidator:
    async def validate(self, token: str) -> Principal:
        if token == "slow":
            raise StoreError("keys", "the issuer's keys cannot be fetched", retryable=True)
        if token != "good":
            raise Unauthenticated("token_client", "the token is another client's")
        return Principal("pubsub", "", frozenset(), is_daemon=True)


@pytest.fixture
def gate(install: Installer) -> FakeGate:
    gate = FakeGate()
    install(
        events,
        upstream_validator=FakeUpstreamValidator(),
        media_gates={"clients": gate},
        web_pubsub_origins=frozenset({"voice.webpubsub.azure.com"}),
    )
    return gate


async def send(method: str = "POST", body: bytes = b"", **headers: str) -> func.HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response: func.HttpResponse = await user_function(events.realtime_event)(
        request(method, headers={**HEADERS, **named}, body=body)
    )
    return response


async def test_a_frame_is_passed_on_and_answered_empty(gate: FakeGate) -> None:
    gate.is_frame = True
    response = await send(body=b"\x01\x02")
    assert (response.status_code, response.get_body()) == (204, b"")
    assert gate.frames == [
        Upstream("azure.webpubsub.user.audio", "clients", "conn-1", "7", "audio", "call-1", "call-1", b"\x01\x02")
    ]
    assert gate.handled == []


async def test_everything_else_is_handled(gate: FakeGate) -> None:
    gate.reply = Reply(state="call-1")
    response = await send()
    assert response.status_code == 204
    assert response.headers["ce-connectionState"] == "call-1"


async def test_no_state_is_no_header(gate: FakeGate) -> None:
    assert "ce-connectionState" not in (await send()).headers


async def test_the_answer_to_connect_has_a_body(gate: FakeGate) -> None:
    gate.reply = Reply(body={"userId": "twilio"})
    response = await send(ce_type="azure.webpubsub.sys.connect")
    assert (response.status_code, document_of(response)) == (200, {"userId": "twilio"})
    assert response.mimetype == "application/json"


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 401, "upstream_token"),
        ("good", 401, "upstream_token"),
        ("Basic good", 401, "upstream_token"),
        ("Bearer bad", 401, "token_client"),
        ("Bearer slow", 503, "keys"),
    ],
)
async def test_without_the_services_token_nothing_is_taken(
    gate: FakeGate, authorization: str, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    gate.is_frame = True
    with caplog.at_level(logging.WARNING):
        assert_problem(await send(authorization=authorization), status, code)
    assert gate.frames == []
    assert len(caplog.records) == 1
    assert "bad" not in caplog.text


async def test_an_unknown_hub(gate: FakeGate) -> None:
    assert_problem(await send(ce_hub="others"), 404, "hub_unknown")


@pytest.mark.parametrize(
    ("error", "status"), [(Conflict("after_stop", "stopped"), 409), (StoreError("redis", "x", retryable=True), 503)]
)
async def test_a_refusal_has_its_status(gate: FakeGate, error: VoiceAgentError, status: int) -> None:
    gate.error = error
    assert_problem(await send(), status, error.code)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("voice.webpubsub.azure.com", "voice.webpubsub.azure.com"),
        ("VOICE.webpubsub.azure.com", "VOICE.webpubsub.azure.com"),
        ("evil.example, voice.webpubsub.azure.com", "voice.webpubsub.azure.com"),
        ("evil.webpubsub.azure.com", None),
        ("voice.webpubsub.azure.com.evil.example", None),
        ("", None),
        ("*", None),
    ],
)
async def test_the_handshake(gate: FakeGate, origin: str, allowed: str | None) -> None:
    response = await send("OPTIONS", authorization="", webhook_request_origin=origin)
    assert response.status_code == (200 if allowed else 403)
    assert response.headers.get("WebHook-Allowed-Origin") == allowed


async def test_a_handshake_without_an_origin(gate: FakeGate) -> None:
    response = await user_function(events.realtime_event)(request("OPTIONS"))
    assert response.status_code == 403


async def test_missing_headers_are_no_crash(gate: FakeGate) -> None:
    response: Any = await user_function(events.realtime_event)(
        request("POST", headers={"authorization": "Bearer good"})
    )
    assert_problem(response, 404, "hub_unknown")


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
async def test_wrong_settings_are_told_without_a_trace(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise InvalidRequest("settings", "REDIS_URL is missing")

    monkeypatch.setattr(events, "services", refuse)
    assert_problem(await send(method), 500, "settings")
