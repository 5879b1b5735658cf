"""The function on AWS: signs as the app checks, tries twice, keeps its time, and always has an answer."""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web

from shared.adapters.connect.signature import check
from tests.contracts.speech_service import Handler, stub_service
from tests.services import free_port
from tests.shared.adapters.connect.events import contact_event, flow_event, lex_event

FOLDER = Path(__file__).parents[3] / "infra" / "aws" / "lambda"
MODULES = ("handler", "answers", "vault")
TURN = {"op": "turn", "turn": "3", "told": "1", "words": "Hello.", "mode": "turn", "tries": "0"}


class Context:
    aws_request_id = "request-1"

    def __init__(self, limit_ms: int = 8000) -> None:
        self._until = time.monotonic() + limit_ms / 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._until - time.monotonic()) * 1000))


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("APP_SECRET", "secret")
    monkeypatch.delenv("APOLOGY", raising=False)
    yield importlib.import_module("handler")
    for name in MODULES:
        sys.modules.pop(name, None)


class App:
    """Answers by these in turn, and remembers what it was asked."""

    def __init__(self, *answers: web.Response | float) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._answers = answers

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        check(("secret",), headers, method="POST", path=request.path, body=body, now_s=time.time())
        self.asked.append(json.loads(body))
        self.headers.append(headers)
        self.paths.append(request.path)
        given = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(given, float):
            await asyncio.sleep(given)
            return web.Response()
        return web.Response(body=given.body, status=given.status, content_type=given.content_type)


def told(**answer: Any) -> web.Response:
    return web.json_response({"action": "say_and_listen", "text": "Yes?"} | answer)


async def run(function: ModuleType, app: Handler, event: Any, limit_ms: int = 8000) -> Any:
    async with stub_service(app) as service:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("APP_URL", f"{service.url}/")
            return await asyncio.to_thread(function.handler, event, Context(limit_ms))


async def test_a_question_of_the_flow_is_brought_and_its_answer_given_back(function: ModuleType) -> None:
    app, event = App(told(turn="4")), flow_event(TURN)
    assert await run(function, app.answer, event) == {"action": "say_and_listen", "text": "Yes?", "turn": "4"}
    assert app.paths == ["/api/webhooks/connect/turn"]
    assert (app.asked[0]["event"], app.asked[0]["request_id"]) == (event, "request-1")
    assert 3000 < app.asked[0]["remaining_ms"] <= 5000


async def test_an_asynchronous_invocation_is_answered_as_any_other(function: ModuleType) -> None:
    """Connect gives it 60 s; whoever made such a flow is told in time to come again."""
    app = App(told())
    assert (await run(function, app.answer, flow_event(TURN), limit_ms=60_000))["text"] == "Yes?"
    assert app.asked[0]["remaining_ms"] <= 5000


async def test_a_flow_is_given_texts_only(function: ModuleType) -> None:
    assert await run(function, App(told(turn=4, more={"a": 1})).answer, flow_event(TURN)) == {
        "action": "say_and_listen", "text": "Yes?",
    }  # fmt: skip


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_failure_costs_another_try_with_another_nonce(function: ModuleType, status: int) -> None:
    app = App(web.json_response({}, status=status), told())
    assert (await run(function, app.answer, flow_event(TURN)))["text"] == "Yes?"
    assert len({headers["x-voice-nonce"] for headers in app.headers}) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 409])
async def test_a_refusal_is_not_repeated(function: ModuleType, status: int) -> None:
    app = App(web.json_response({}, status=status))
    answer = await run(function, app.answer, flow_event(TURN))
    assert (len(app.asked), answer["action"]) == (1, "come_again")


async def test_an_app_that_is_away_is_asked_again_by_the_flow_with_the_same_words(function: ModuleType) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APP_URL", f"http://127.0.0.1:{free_port()}")
        answer = function.handler(flow_event(TURN), Context())
        for name in ("op", "turn", "told", "words", "mode"):
            assert answer[name] == TURN[name]
        assert (answer["action"], answer["tries"]) == ("come_again", "1")
        assert all(isinstance(value, str) for value in answer.values())
        last = function.handler(flow_event(TURN | {"tries": "2"}), Context())
        assert last["action"] == "hang_up"
        assert "sorry" in last["ssml"]


async def test_an_app_that_is_late_costs_no_more_than_the_flow_has(function: ModuleType) -> None:
    began = time.monotonic()
    answer = await run(function, App(30.0).answer, flow_event(TURN), limit_ms=3000)
    assert answer["action"] == "come_again"
    assert time.monotonic() - began < 3.0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b"x" * 100_000])
async def test_an_answer_that_is_none(function: ModuleType, body: bytes) -> None:
    async def babbling(request: web.Request) -> web.Response:
        return web.Response(body=body)

    assert (await run(function, babbling, flow_event(TURN), limit_ms=4000))["action"] == "come_again"


async def test_a_bot_that_only_listens_hands_its_words_to_the_flow(function: ModuleType) -> None:
    app = App(told())
    state = (await run(function, app.answer, lex_event(mode="Speech") | _mode("turn")))["sessionState"]
    assert app.asked == []
    assert state["dialogAction"] == {"type": "Close"}
    assert (state["sessionAttributes"]["words"], state["sessionAttributes"]["keys"]) == ("move my appointment", "")
    keys = (await run(function, app.answer, lex_event("12", mode="DTMF") | _mode("turn")))["sessionState"]
    assert (keys["sessionAttributes"]["words"], keys["sessionAttributes"]["keys"]) == ("", "12")


def _mode(mode: str) -> dict[str, Any]:
    state = lex_event()["sessionState"]
    return {"sessionState": {**state, "sessionAttributes": {**state["sessionAttributes"], "mode": mode}}}


async def test_a_bot_that_asks_is_answered_by_the_app(function: ModuleType) -> None:
    given = {"sessionState": {"dialogAction": {"type": "ElicitIntent"}}, "messages": []}
    app = App(web.json_response(given))
    assert await run(function, app.answer, lex_event()) == given
    assert app.paths == ["/api/webhooks/connect/lex"]


async def test_a_bot_without_the_app_goes_back_to_the_flow_with_its_words(function: ModuleType) -> None:
    event = lex_event(turn="4", asked="33b39120-0000-4000-8000-000000000001")
    state = (await run(function, App(web.json_response({}, status=401)).answer, event))["sessionState"]
    attributes = state["sessionAttributes"]
    assert (attributes["next"], attributes["words"]) == ("come_again", "move my appointment")
    assert attributes["turn"] == "3", "it was answered before: the same utterance"


async def test_a_contact_event_that_is_not_brought_fails_so_that_it_comes_again(function: ModuleType) -> None:
    app = App(web.Response(status=204))
    assert await run(function, app.answer, contact_event("DISCONNECTED")) == {}
    assert app.paths == ["/api/webhooks/connect/contact-event"]
    with pytest.raises(function.AppAway):
        await run(function, App(web.json_response({}, status=404)).answer, contact_event("DISCONNECTED"))


async def test_the_gateway_has_a_door_of_its_own(function: ModuleType) -> None:
    app = App(told(action="transfer"))
    await run(function, app.answer, flow_event({"op": "gateway", "number": "+15550100011"}))
    assert app.paths == ["/api/webhooks/connect/gateway"]


def test_without_a_secret_the_caller_is_told_so(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_SECRET")
    monkeypatch.setenv("APP_URL", f"http://127.0.0.1:{free_port()}")
    assert function.handler(flow_event(TURN), Context())["action"] == "come_again"


def test_a_secret_is_kept_for_a_while(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = importlib.import_module("vault")
    monkeypatch.delenv("APP_SECRET")
    monkeypatch.setenv("APP_SECRET_ARN", "arn:aws:secretsmanager:x")
    read: list[str] = []
    monkeypatch.setattr(vault, "_read", lambda name: read.append(name) or f"secret-{len(read)}")
    assert [vault.secret(), vault.secret()] == ["secret-1", "secret-1"]
    monkeypatch.setattr(vault, "_KEPT_S", 0.0)
    assert vault.secret() == "secret-2"

    def fails(name: str) -> str:
        raise OSError(name)

    monkeypatch.setattr(vault, "_read", fails)
    assert vault.secret() == "secret-2", "an old one is better than none"


def test_it_needs_nothing_that_is_not_there() -> None:
    """The standard library, its own modules, and what Lambda's runtime brings."""
    allowed = {*sys.stdlib_module_names, *MODULES, "boto3", "botocore"}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 12))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] in allowed
