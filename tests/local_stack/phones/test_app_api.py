from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from local_stack.phones.app_api import ApiUnreachable, AppApi, read_call
from local_stack.phones.operator_token import CREDENTIAL_VARIABLE, NoToken, operator_token

CALL = {"call_id": "c1", "state": "in_progress", "end_reason": None}
TURN = {"number": 1, "heard": " hi ", "said": None, "outcome": "running", "moments": {"a_ms": 1, "b_ms": None}}
LATENCY = {"total_ms": 5, "parts_ms": {"decision": 5}, "prepared_ms": {"transcript": 3}, "speculation": False}


@asynccontextmanager
async def api(*answers: tuple[int, Any]) -> AsyncIterator[tuple[AppApi, list[web.Request]]]:
    """An API that gives these answers one after the other; every token is a new one."""
    seen: list[web.Request] = []
    tokens = iter("abcdef")

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        status, body = answers[min(len(seen), len(answers)) - 1]
        return web.json_response(body, status=status)

    async def token() -> str:
        return next(tokens)

    app = web.Application()
    app.router.add_get("/{rest:.*}", handler)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield AppApi(session, str(server.make_url("/")), token), seen


async def test_finds_the_call_by_the_carriers_id_and_then_asks_for_it() -> None:
    answers = (200, {"calls": []}), (200, {"calls": [CALL]}), (200, {**CALL, "turns": [TURN]})
    async with api(*answers) as (app_api, seen):
        assert await app_api.call_of("CA1") is None
        call = await app_api.call_of("CA1")
        await app_api.call_of("CA1")
    assert call is not None
    (turn,) = call.turns
    assert (turn.heard, turn.said, turn.moments, turn.over) == ("hi", "", {"a_ms": 1.0}, False)
    assert not call.over
    assert [request.path_qs for request in seen] == [
        "/api/calls?provider_call_id=CA1",
        "/api/calls?provider_call_id=CA1",
        "/api/calls/c1",
        "/api/calls/c1",
    ]
    assert {request.headers["Authorization"] for request in seen} == {"Bearer a"}


async def test_a_refused_token_is_fetched_anew() -> None:
    async with api((401, {}), (200, {"calls": []})) as (app_api, seen):
        with pytest.raises(ApiUnreachable, match="answered 401"):
            await app_api.call_of("CA1")
        assert await app_api.call_of("CA1") is None
    assert [request.headers["Authorization"] for request in seen] == ["Bearer a", "Bearer b"]


@pytest.mark.parametrize("value", [None, [], {}, {"call_id": "c", "state": "x", "turns": [{}]}])
def test_something_else_than_a_call_is_one_clear_line(value: Any) -> None:
    with pytest.raises(ApiUnreachable, match="not a call"):
        read_call(value)


def test_the_parts_of_the_wait_and_the_costs_are_read_where_the_app_tells_them() -> None:
    told = read_call({**CALL, "turns": [{**TURN, "latency": LATENCY, "costs": {"takes": 2}}, TURN]}).turns
    assert [turn.waited_ms for turn in told] == [{"decision": 5.0}, {}]
    assert [turn.prepared_ms for turn in told] == [{"transcript": 3.0}, {}]
    assert [turn.costs for turn in told] == [{"takes": 2.0}, {}]
    assert read_call({**CALL, "turns": [{**TURN, "latency": None, "costs": None}]}).turns[0].waited_ms == {}


def test_a_call_is_over_when_its_last_turn_is() -> None:
    assert not read_call({**CALL, "state": "completed", "turns": [TURN]}).over
    assert read_call({**CALL, "state": "failed", "turns": [{**TURN, "outcome": "unheard"}]}).over


@asynccontextmanager
async def issuer(status: int, answer: Any) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    forms: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        forms.append({name: str(value) for name, value in (await request.post()).items()})
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_post("/b2c/voice.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/token", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/")), forms


async def test_a_token_is_had_with_the_secret_that_the_stack_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CREDENTIAL_VARIABLE, raising=False)
    (tmp_path / "secrets.json").write_text(json.dumps({"identity_client_secret": "kept"}))
    async with issuer(200, {"access_token": "t"}) as (url, forms), aiohttp.ClientSession() as session:
        assert await operator_token(session, url, tmp_path) == "t"
        monkeypatch.setenv(CREDENTIAL_VARIABLE, "given")
        await operator_token(session, url, tmp_path)
    assert [form["client_secret"] for form in forms] == ["kept", "given"]
    assert forms[0]["grant_type"] == "client_credentials"


async def test_no_token_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIAL_VARIABLE, raising=False)
    async with issuer(401, {"error": "invalid_client"}) as (url, _), aiohttp.ClientSession() as session:
        with pytest.raises(NoToken, match="is not set"):
            await operator_token(session, url, tmp_path)
        monkeypatch.setenv(CREDENTIAL_VARIABLE, "given")
        with pytest.raises(NoToken, match="invalid_client"):
            await operator_token(session, url, tmp_path)
        with pytest.raises(NoToken, match="gives no token"):
            await operator_token(session, f"http://127.0.0.1:{unused_port()}", tmp_path)
