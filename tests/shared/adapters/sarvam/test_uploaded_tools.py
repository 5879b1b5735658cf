"""The tools that the documentation has uploaded into a voice agent's workspace, before our own doors."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from shared.adapters.sarvam import hooks
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.text_turns import Next, TextReply
from tests.shared.adapters.sarvam.bodies import context

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "sarvam.md"
SECRET = "the-workspace's-secret-of-32-letters"
_SDK = ["SarvamOnEndTool", "SarvamOnStartTool", "SarvamTool"]
_CONTEXTS = ["SarvamOnEndToolContext", "SarvamOnStartToolContext", "SarvamToolContext"]


class Context(BaseModel):
    """As the SDK's contexts: what is known of a call, and the secrets that the tool may see."""

    model_config = ConfigDict(extra="allow")
    secrets: dict[str, str] = {}

    def get_secret(self, name: str) -> str:
        return self.secrets[name]


class Output(BaseModel):
    message_to_llm: str | None = None
    message_to_user: str | None = None
    context: Context


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the platform finds in the file; `asked` keeps the requests, `reply` is what our agent answers."""
    sdk = ModuleType("sarvam_conv_ai_sdk")
    names: dict[str, Any] = {
        **{name: type(name, (BaseModel,), {}) for name in _SDK},
        **dict.fromkeys(_CONTEXTS, Context),
        "SarvamToolOutput": Output,
    }
    for name, value in names.items():
        setattr(sdk, name, value)
    monkeypatch.setitem(sys.modules, "sarvam_conv_ai_sdk", sdk)
    found = re.search(r"```python\n(.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    module: dict[str, Any] = {
        "__name__": "uploaded",
        "asked": [],
        "reply": TextReply(0, (), 0, Next.LISTEN, "en", ""),
    }
    exec(compile(found[1], "docs/sarvam.md", "exec"), module)

    def answer(request: httpx.Request) -> httpx.Response:
        module["asked"].append((request.url.path, request.headers["Authorization"], json.loads(request.content)))
        door, document = request.url.path.rpartition("/")[2], json.loads(request.content)
        if door == "start":
            return httpx.Response(
                200, json=hooks.answer_start(hooks.read_interaction(document), "c", module["reply"])
            )
        if door == "turn":
            return httpx.Response(200, json=hooks.answer_turn(hooks.read_utterance(document), "c", module["reply"]))
        return httpx.Response(200, json={})

    client, transport = httpx.AsyncClient, httpx.MockTransport(answer)
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: client(transport=transport, **options))
    return module


def given(**changes: Any) -> Context:
    return Context(**context(**changes), secrets={"VOICE_AGENT_SECRET": SECRET, "CRM": "of-nobody-elses-business"})


async def test_our_greeting_is_what_is_said_first(tools: dict[str, Any]) -> None:
    tools["reply"] = TextReply(0, ("Hello.",), 1, Next.LISTEN, "en", "")
    begun = await tools["OnStart"]().run(given())
    assert begun.initial_bot_message == "Hello."
    assert begun.get_secret("CRM") == "of-nobody-elses-business"
    ((path, authorization, body),) = tools["asked"]
    assert (path, authorization) == ("/api/webhooks/sarvam/start", f"Bearer {SECRET}")
    assert "secrets" not in body["context"]


async def test_a_turn_ends_in_a_transfer(tools: dict[str, Any]) -> None:
    tools["reply"] = TextReply(1, ("One moment.",), 1, Next.TRANSFER, "en", "", Transfer("+14155550199"))
    output = await tools["Answer"](utterance="A person.").run(given(agent_variables={"transfer_number": ""}))
    assert "call_transfer" in output.message_to_llm
    assert output.context.agent_variables == {"transfer_number": "+14155550199"}
    assert tools["asked"][0][2]["utterance"] == "A person."


async def test_the_end_is_told(tools: dict[str, Any]) -> None:
    ended = given()
    assert await tools["OnEnd"]().run(ended) is ended
    assert [path for path, _, _ in tools["asked"]] == ["/api/webhooks/sarvam/end"]
