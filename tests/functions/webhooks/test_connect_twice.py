"""What Connect or Lex asks twice at the same moment is answered twice, and happens once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.webhooks import connect
from shared.adapters.connect.desk import ConnectDesk
from shared.adapters.connect.signature import NONCE, SIGNATURE, TIMESTAMP, signature
from shared.adapters.connect.webhooks import ConnectWebhooks
from shared.domain.telephony.lines import Line
from tests.fakes.memory import FakeOnce
from tests.functions.conftest import Installer, request, user_function
from tests.shared.adapters.connect.events import INSTANCE, flow_event, lex_event
from tests.shared.use_cases.texting.text_call import CALL_ID, TextCall, text_call

OURS = {"voice_agent_call": CALL_ID}


class Doors:
    """Connect's doors in front of a call whose steps run."""

    def __init__(self, call: TextCall, install: Installer) -> None:
        self.call = call
        self._nonces = 0
        webhooks = ConnectWebhooks(
            secrets=("secret",),
            instance_arns=frozenset({INSTANCE}),
            once=FakeOnce(call.house.clock),
            now_s=lambda: call.house.clock.now_ms() / 1000,
        )
        install(
            connect,
            carriers=SimpleNamespace(connect=ConnectDesk(webhooks), live_sound=None),
            take_text_turn=call.take,
            move_media=SimpleNamespace(require=self._require),
            gateway=SimpleNamespace(),
            clock=call.house.clock,
        )

    async def _require(self, call_id: str, *_: Any) -> None:
        assert call_id == CALL_ID

    async def post(self, door: str, event: dict[str, Any]) -> dict[str, Any]:
        path = f"/api/webhooks/connect/{door}"
        body = json.dumps({"request_id": "r", "remaining_ms": 4900, "event": event}).encode()
        self._nonces += 1
        parts = {"timestamp": f"{self.call.house.clock.now_ms() / 1000:.0f}", "nonce": f"{self._nonces:032d}"}
        made = signature("secret", **parts, method="POST", path=path, body=body)
        headers = {TIMESTAMP: parts["timestamp"], NONCE: parts["nonce"], SIGNATURE: made}
        sent = request("POST", f"http://localhost{path}", headers=headers, body=body)
        function = user_function(getattr(connect, f"connect_{door}"))
        response: func.HttpResponse = await (function(sent, None) if door == "turn" else function(sent))
        assert response.status_code == 200, response.get_body()
        document: dict[str, Any] = json.loads(response.get_body())
        return document


@pytest.fixture
async def doors(install: Installer) -> AsyncIterator[Doors]:
    async with text_call(Line.CONNECT_LEX) as call:
        await call.ask(0, None)
        yield Doors(call, install)


async def test_a_bot_that_asks_twice_at_once_is_told_the_same_and_the_words_count_once(doors: Doors) -> None:
    event = lex_event("Where is my parcel?", turn="1", **OURS)
    first, second = await asyncio.gather(doors.post("lex", event), doors.post("lex", event))
    assert first["messages"] == second["messages"] != []
    assert {answer["sessionState"]["sessionAttributes"]["turn"] for answer in (first, second)} == {"2"}
    assert len(doors.call.model.asked) == 1
    assert (await doors.call.journal(1))["heard"] == "Where is my parcel?"


async def test_a_flow_that_asks_twice_at_once_is_told_the_same_and_the_words_count_once(doors: Doors) -> None:
    event = flow_event({"op": "turn", "turn": "1", "words": "Where is my parcel?"}, Attributes=OURS)
    first, second = await asyncio.gather(doors.post("turn", event), doors.post("turn", event))
    assert first == second
    assert (first["action"], first["turn"]) == ("say_and_listen", "2")
    assert len(doors.call.model.asked) == 1
    again = await doors.post("turn", event)
    assert again["text"] == first["text"]
    assert len(doors.call.model.asked) == 1


async def test_a_bot_that_is_ahead_of_us_is_asked_to_say_it_again_and_then_goes_on(doors: Doors) -> None:
    ahead = await doors.post("lex", lex_event("Where is my parcel?", turn="7", **OURS))
    state = ahead["sessionState"]
    assert (state["dialogAction"]["type"], state["sessionAttributes"]["turn"]) == ("ElicitIntent", "1")
    assert "again" in ahead["messages"][0]["content"]
    answered = await doors.post("lex", lex_event("Where is it?", turn=state["sessionAttributes"]["turn"], **OURS))
    assert answered["sessionState"]["sessionAttributes"]["turn"] == "2"
    assert [messages[-1] for messages in doors.call.model.asked] == ["Where is it?"]
