"""Clients are let in with a call of their own, or told why not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.realtime import negotiate
from shared.domain.errors import InvalidRequest, NotFound
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function


class FakeAnswering:
    def __init__(self) -> None:
        self.begun: list[tuple[str, str | None, str]] = []

    async def by_client(self, tenant_id: str, agent_id: str | None, subject: str, orchestrations: Any) -> str:
        if agent_id == "unknown":
            raise NotFound("agent_unknown", "there is no such agent")
        self.begun.append((tenant_id, agent_id, subject))
        return "call-1"


class FakeHub:
    hub = "clients"

    async def client_url(self, user_id: str, *, minutes: int) -> str:
        return f"wss://hub?user={user_id}&minutes={minutes}"


@pytest.fixture
def answering(install: Installer) -> FakeAnswering:
    answering = FakeAnswering()
    settings = SimpleNamespace(
        web_pubsub_client_hub="clients",
        client_token_minutes=60,
        auth_metadata_url="https://id.example/v2.0/.well-known/openid-configuration, https://id.example/other",
        auth_client_id="talk",
        auth_scope="api/talk",
        public_base_url="https://voice.example.com/",
    )
    install(negotiate, answer_call=answering, hubs={"clients": FakeHub()}, settings=settings)
    return answering


async def ask(body: bytes = b"", token: str | None = "caller") -> func.HttpResponse:
    response: func.HttpResponse = await user_function(negotiate.negotiate)(
        request("POST", body=body, token=token), object()
    )
    return response


@pytest.mark.parametrize(
    ("body", "agent_id"), [(b"", None), (b"{}", None), (b'{"agent_id":"nora"}', "nora"), (b'{"agent_id":null}', None)]
)
async def test_a_client_is_let_in(answering: FakeAnswering, body: bytes, agent_id: str | None) -> None:
    response = await ask(body)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store", "the address holds a token"
    assert document_of(response) == {
        "call_id": "call-1",
        "url": "wss://hub?user=call-1&minutes=60",
        "hub": "clients",
        "audio": {"encoding": "pcm_s16le", "sample_rate_hz": 16000, "frame_ms": 60},
    }
    assert answering.begun == [("tenant-1", agent_id, "carl")]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b"\xff", 400, "not_json"),
        (b"[" * 4000, 400, "not_json"),
        (b"[]", 400, "not_an_object"),
        (b'"nora"', 400, "not_an_object"),
        (b"null", 400, "not_an_object"),
        (b'{"agent_id":5}', 400, "agent_id"),
        (b'{"agent_id":"unknown"}', 404, "agent_unknown"),
        (b" " * 4097, 413, "body_too_large"),
    ],
)
async def test_bad_bodies(answering: FakeAnswering, body: bytes, status: int, code: str) -> None:
    assert_problem(await ask(body), status, code)
    assert answering.begun == []


@pytest.mark.parametrize(
    ("token", "status"), [(None, 401), ("forged", 401), ("nobody", 403), ("operator", 200), ("admin", 200)]
)
async def test_who_may(answering: FakeAnswering, token: str | None, status: int) -> None:
    assert (await ask(token=token)).status_code == status


async def test_the_page_learns_where_to_sign_in(answering: FakeAnswering) -> None:
    response = await user_function(negotiate.realtime_config)(request())
    assert document_of(response) == {
        "authority": "https://id.example/v2.0",
        "client_id": "talk",
        "scope": "api/talk",
        "redirect_uri": "https://voice.example.com/",
    }


async def test_a_page_is_told_of_wrong_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise InvalidRequest("settings", "REDIS_URL is missing")

    monkeypatch.setattr(negotiate, "services", refuse)
    assert_problem(await user_function(negotiate.realtime_config)(request()), 500, "settings")
