"""Operators read what callers left and what agents promised, within their tenant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.api import callbacks, messages
from shared.ports.callbacks import Callback, CallbackState
from shared.ports.messages_taken import MessageTaken
from tests.fakes.clock import FakeClock
from tests.fakes.tools import FakeCallbacks, FakeMessagesTaken
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MESSAGE = MessageTaken(
    message_id="m1",
    tenant_id="tenant-1",
    call_id="call-1",
    agent_id="first",
    caller="+15550100001",
    text="Ring me back.",
    taken_at=NOON,
    name="Ana",
    is_urgent=True,
)
CALLBACK = Callback(
    callback_id="c1",
    tenant_id="tenant-1",
    agent_id="first",
    promised_in="call-1",
    to="+15550100001",
    caller_id="+15550100009",
    due_at=NOON,
    reason="the order",
)


@pytest.fixture
def tooling(install: Installer) -> SimpleNamespace:
    tooling = SimpleNamespace(messages=FakeMessagesTaken(), callbacks=FakeCallbacks())
    install(messages, tooling=tooling, clock=FakeClock())
    install(callbacks, tooling=tooling, clock=FakeClock())
    return tooling


async def ask(module: Any, name: str, *, token: str | None = "operator", **parts: Any) -> func.HttpResponse:
    response: func.HttpResponse = await user_function(getattr(module, name))(request(token=token, **parts))
    return response


async def test_messages_are_read_and_handled(tooling: SimpleNamespace) -> None:
    await tooling.messages.add(MESSAGE)
    listed = document_of(await ask(messages, "list_messages"))["messages"]
    assert [(each["message_id"], each["from"], each["is_urgent"], each["handled_at"]) for each in listed] == [
        ("m1", "+15550100001", True, None)
    ]
    assert (await ask(messages, "handle_message", route={"message_id": "m1"})).status_code == 204
    assert document_of(await ask(messages, "list_messages", params={"state": "open"})) == {"messages": []}
    (handled,) = document_of(await ask(messages, "list_messages", params={"before": "2026-11-23T12:01:00Z"}))[
        "messages"
    ]
    assert handled["handled_by"]
    assert_problem(await ask(messages, "handle_message", route={"message_id": "m2"}), 404, "message_unknown")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"before": "noon"}, "before"),
    ],
)
async def test_a_query_that_is_none_is_told(tooling: SimpleNamespace, query: dict[str, str], code: str) -> None:
    assert_problem(await ask(messages, "list_messages", params=query), 400, code)


async def test_calls_back_are_read_and_taken_back(tooling: SimpleNamespace) -> None:
    await tooling.callbacks.add(CALLBACK, most=3)
    (listed,) = document_of(await ask(callbacks, "list_callbacks", params={"state": "planned"}))["callbacks"]
    assert (listed["callback_id"], listed["to"], listed["state"]) == ("c1", "+15550100001", "planned")
    assert listed["due_at"] == NOON.isoformat()
    assert (await ask(callbacks, "cancel_callback", route={"callback_id": "c1"})).status_code == 204
    assert_problem(await ask(callbacks, "cancel_callback", route={"callback_id": "c1"}), 409, "callback_not_planned")
    assert_problem(await ask(callbacks, "cancel_callback", route={"callback_id": "c2"}), 404, "callback_unknown")
    canceled = await tooling.callbacks.one("tenant-1", "c1")
    assert canceled.state is CallbackState.CANCELED
    assert await tooling.callbacks.due(NOON + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (messages, "list_messages"),
        (messages, "handle_message"),
        (callbacks, "list_callbacks"),
        (callbacks, "cancel_callback"),
    ],
)
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("caller", 403)])
async def test_who_may_not(tooling: SimpleNamespace, module: Any, name: str, token: str | None, status: int) -> None:
    assert (
        await ask(module, name, token=token, route={"message_id": "m1", "callback_id": "c1"})
    ).status_code == status
