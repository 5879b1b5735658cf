"""An app for voice agents, as the simulator knows it: four doors, to which a secret is borne."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from local_stack.phones.conversation import Plan
from local_stack.phones.sarvam.account import Account
from local_stack.phones.sarvam.call import SamvaadCall
from local_stack.phones.sarvam.options import CallOptions
from tests.local_stack.phones.clocks import FastClock
from tests.local_stack.phones.spoken_words import ToneSpeech

ACCOUNT = Account("key", "org", "space", "desk", "s" * 32)
PLAN = Plan(quiet_ms=400, greeting_timeout_ms=4_000, reply_timeout_ms=15_000)


@dataclass
class HookApp:
    """Answers each utterance with `answers` in turn, the last again; keeps what it is told."""

    url: str = ""
    answers: list[Any] = field(default_factory=lambda: ["It is on its way."])
    start_status: int = 200
    told: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    ends: Callable[[int], bool] = lambda number: False

    def of(self, door: str) -> list[Any]:
        return [content for name, content in self.told if name == door]

    async def answer(self, request: web.Request) -> web.Response:
        door, body = request.match_info["door"], await request.read()
        if request.headers.get("Authorization") != f"Bearer {ACCOUNT.webhook_secret}":
            return web.json_response({}, status=401)
        self.headers.append((door, request.headers))
        try:
            self.told.append((door, json.loads(body)))
        except ValueError:
            self.told.append((door, body))
        if door == "start":
            return web.json_response(self._start(self.told[-1][1]), status=self.start_status)
        return self._turn(self.told[-1][1]) if door == "turn" else web.json_response({})

    def _start(self, document: Any) -> Any:
        return {**document["context"], "initial_bot_message": "Hello, this is Nora.", "internal_variables": {"n": 0}}

    def _turn(self, document: Any) -> web.Response:
        number = len(self.of("turn"))
        answer = self.answers[min(number, len(self.answers)) - 1]
        if not isinstance(answer, str):
            return web.json_response(answer)
        context = {**document["context"], "internal_variables": {"n": number}, "end_conversation": self.ends(number)}
        return web.json_response({"message_to_user": answer, "message_to_llm": None, "context": context})


@asynccontextmanager
async def serving(**changes: Any) -> AsyncIterator[HookApp]:
    app, made = web.Application(), HookApp(**changes)
    app.router.add_post("/api/webhooks/sarvam/{door}", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


def call_of(app: HookApp, **changes: Any) -> SamvaadCall:
    given: dict[str, Any] = {
        "account": ACCOUNT,
        "speech": ToneSpeech(),
        "app_url": app.url,
        "user_number": "+14155550100",
        "agent_number": "+15550100018",
        "plan": PLAN,
    }
    return SamvaadCall(CallOptions(**given | changes), clock=FastClock(8.0))
