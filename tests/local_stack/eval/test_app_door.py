"""What is read of a call that is over: the words as they were, what operators see, and what was made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from local_stack.eval import app_door
from local_stack.eval.app_door import AppDoor

CALL = "/api/calls/c1"
SHOWN = {
    "call_id": "c1",
    "turns": [{"number": 1, "heard": "I am [name]", "said": "Hello [name]", "outcome": "completed"}],
}
RAW = {
    "turns": [{"number": 1, "heard": "I am Ida", "said": "Hello Ida"}],
    "analysis": {"outcome": "ok", "extracted": {}},
}
ANALYSIS = {"state": "done", "analysis": {"outcome": "ok", "extracted": {"name": "[name]"}}}


class App:
    """Answers what it has, by path; `late`: how often a path is not there yet. `asked`: by role."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {CALL: SHOWN, f"{CALL}/analysis": ANALYSIS}
        self.late: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers["Authorization"], request.path))
        if self.late.get(request.path, 0) > 0:
            self.late[request.path] -= 1
            return web.json_response({"status": 404}, status=404)
        found = self.answers.get(request.path)
        return web.json_response(found or {"status": 404}, status=200 if found else 404)


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def door(app: App, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AppDoor]:
    monkeypatch.setattr(app_door, "access_token", lambda _url, role: role)
    served = web.Application()
    served.router.add_get("/{path:.*}", app.answer)
    async with TestServer(served) as server, aiohttp.ClientSession() as session:
        yield AppDoor(session, str(server.make_url("")).rstrip("/"), "http://nowhere")


async def test_the_words_as_they_were_are_waited_for_and_stand_beside_those_that_are_shown(
    app: App, door: AppDoor
) -> None:
    app.answers[f"{CALL}/raw-transcript"] = RAW
    app.late[f"{CALL}/raw-transcript"] = 2
    finished = await door.finished({"call_id": "c1"}, {"after_call": {"analyses": True}}, within_s=5)
    assert finished.record["turns"] == [{**SHOWN["turns"][0], "heard": "I am Ida", "said": "Hello Ida"}]  # type: ignore[dict-item]
    assert finished.shown == SHOWN
    assert finished.analysis == RAW["analysis"]
    assert ("Bearer admin", f"{CALL}/raw-transcript") in app.asked


@pytest.mark.parametrize("agent", [{"after_call": {"redacts": False}}, {"retention": {"raw": 0}}])
async def test_where_nothing_is_hidden_or_kept_nobody_waits(app: App, door: AppDoor, agent: dict[str, Any]) -> None:
    finished = await door.finished({"call_id": "c1"}, agent, within_s=60)
    assert (finished.record, finished.analysis) == (SHOWN, ANALYSIS["analysis"])
    assert all("raw-transcript" not in path for _, path in app.asked)


async def test_what_never_comes_is_not_waited_for_longer_than_is_said(door: AppDoor) -> None:
    finished = await door.finished({"call_id": "c1"}, {}, within_s=0.3)
    assert finished.record["turns"] == SHOWN["turns"]


async def test_what_was_done_in_the_call_is_told_as_tools(app: App, door: AppDoor) -> None:
    app.answers["/api/messages"] = {
        "messages": [{"call_id": "c1", "text": "Ring me.", "name": "Ida"}, {"call_id": "c2", "text": "x", "name": ""}]
    }
    app.answers["/api/callbacks"] = {"callbacks": [{"promised_in": "c1", "reason": "lamp", "to": "+14155550101"}]}
    assert await door.deeds("c1") == [
        {"name": "take_message", "arguments": {"message": "Ring me.", "name": "Ida"}},
        {"name": "schedule_callback", "arguments": {"reason": "lamp", "to": "+14155550101"}},
    ]
