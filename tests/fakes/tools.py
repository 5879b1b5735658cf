"""Fakes of what agents' tools leave behind, and of a source of tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.agents.document import Agent
from shared.domain.agents.tools import Effect
from shared.ports.callbacks import Callback, CallbackState
from shared.ports.earlier_calls import EarlierCall
from shared.ports.messages_taken import MessageTaken
from shared.ports.tool_box import Tool, ToolRequest, ToolResult
from shared.ports.tool_ledger import LedgerEntry


def an_agent(**traits: Any) -> Agent:
    known = {"name": "Nora", "persona": "p", "greeting": "Hello.", "agent_id": "first", "tenant_id": "acme"}
    return Agent(**known | traits)


def asked(name: str, arguments: dict[str, Any] | None = None, **more: Any) -> ToolRequest:
    known = {"key": "call-1:5:0", "tenant_id": "acme", "call_id": "call-1", "caller": "+15550100001"}
    return ToolRequest(**known | {"name": name, "arguments": arguments or {}} | more)


def a_tool(name: str, effect: Effect = Effect.CHANGES, **more: Any) -> Tool:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
    known = {"description": "d", "parameters": schema, "idempotent": False, "deadline_s": 2.0}
    return Tool(**known | {"name": name, "effect": effect} | more)


class FakeToolSource:
    """Fills the port `ToolSource`; `deed` is what each call does, `calls` those that came."""

    def __init__(self, *tools: Tool, deed: Callable[[ToolRequest], Awaitable[ToolResult]] | None = None) -> None:
        self._tools = tools
        self.deed = deed
        self.calls: list[ToolRequest] = []

    async def tools(self, agent: Agent) -> Sequence[Tool]:
        return self._tools

    async def call(self, agent: Agent, tool: Tool, request: ToolRequest) -> ToolResult:
        self.calls.append(request)
        return await self.deed(request) if self.deed else ToolResult({"number": len(self.calls)})


class FakeToolLedger:
    """Fills the port `ToolLedger`. `dies_at_finish`: the worker is gone before it has noted what came of a call."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], LedgerEntry] = {}
        self._begun_at: dict[tuple[str, str], datetime] = {}
        self.dies_at_finish = False

    async def begin(self, request: ToolRequest) -> LedgerEntry | None:
        key = (request.tenant_id, request.key)
        if key in self.entries:
            return self.entries[key]
        self.entries[key] = LedgerEntry(request.name, dict(request.arguments), None)
        self._begun_at[key] = datetime.now(UTC)
        return None

    async def finish(self, request: ToolRequest, result: ToolResult) -> None:
        if self.dies_at_finish:
            raise SystemError("the worker is gone")
        key = (request.tenant_id, request.key)
        if key in self.entries and self.entries[key].result is None:
            self.entries[key] = replace(self.entries[key], result=result)

    async def forget(self, request: ToolRequest) -> None:
        key = (request.tenant_id, request.key)
        if key in self.entries and self.entries[key].result is None:
            del self.entries[key]

    async def sweep(self, before: datetime) -> int:
        old = [key for key, at in self._begun_at.items() if at < before and key in self.entries]
        for key in old:
            del self.entries[key]
        return len(old)


class FakeMessagesTaken:
    """Fills the port `MessagesTaken`."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], MessageTaken] = {}

    async def add(self, message: MessageTaken) -> None:
        self.messages.setdefault((message.tenant_id, message.message_id), message)

    async def find(
        self, tenant_id: str, *, unhandled: bool = False, before: datetime | None = None, limit: int = 50
    ) -> list[MessageTaken]:
        found = [
            each
            for each in self.messages.values()
            if each.tenant_id == tenant_id
            and not (unhandled and each.handled_at)
            and (before is None or each.taken_at < before)
        ]
        return sorted(found, key=lambda each: each.taken_at, reverse=True)[:limit]

    async def handle(self, tenant_id: str, message_id: str, *, by: str, at: datetime) -> bool:
        message = self.messages.get((tenant_id, message_id))
        if message is None:
            return False
        if message.handled_at is None:
            self.messages[tenant_id, message_id] = replace(message, handled_at=at, handled_by=by)
        return True


class FakeCallbacks:
    """Fills the port `Callbacks`."""

    def __init__(self) -> None:
        self.callbacks: dict[tuple[str, str], Callback] = {}
        self._not_before: dict[tuple[str, str], datetime] = {}

    async def add(self, callback: Callback, *, most: int) -> bool:
        key = (callback.tenant_id, callback.callback_id)
        planned = [
            each
            for each in self.callbacks.values()
            if (each.tenant_id, each.to, each.state) == (callback.tenant_id, callback.to, CallbackState.PLANNED)
        ]
        if key not in self.callbacks and len(planned) >= most:
            return False
        self.callbacks.setdefault(key, callback)
        self._not_before.setdefault(key, callback.due_at)
        return True

    async def due(self, at: datetime, limit: int = 50) -> list[Callback]:
        found = [
            (self._not_before[key], each)
            for key, each in self.callbacks.items()
            if each.state is CallbackState.PLANNED and self._not_before[key] <= at
        ]
        return [each for _, each in sorted(found, key=lambda pair: pair[0])][:limit]

    async def find(self, tenant_id: str, *, planned: bool = False, limit: int = 50) -> list[Callback]:
        found = [
            each
            for each in self.callbacks.values()
            if each.tenant_id == tenant_id and (not planned or each.state is CallbackState.PLANNED)
        ]
        return sorted(found, key=lambda each: each.due_at, reverse=True)[:limit]

    async def one(self, tenant_id: str, callback_id: str) -> Callback | None:
        return self.callbacks.get((tenant_id, callback_id))

    async def move(self, callback: Callback, state: CallbackState, *, call_id: str = "", trouble: str = "") -> bool:
        key = (callback.tenant_id, callback.callback_id)
        if key not in self.callbacks or self.callbacks[key].state is not callback.state:
            return False
        self.callbacks[key] = replace(self.callbacks[key], state=state, call_id=call_id, trouble=trouble)
        return True

    async def put_off(self, callback: Callback, until: datetime, trouble: str) -> bool:
        key = (callback.tenant_id, callback.callback_id)
        if key not in self.callbacks or self.callbacks[key].state is not CallbackState.PLANNED:
            return False
        self._not_before[key] = until
        self.callbacks[key] = replace(self.callbacks[key], trouble=trouble)
        return True


class FakeEarlierCalls:
    """Fills the port `EarlierCalls` with what was put in, for any window."""

    def __init__(self) -> None:
        self.of_party: dict[tuple[str, str], list[EarlierCall]] = {}

    async def of(
        self, tenant_id: str, caller: str, *, since: datetime, but: str, limit: int = 5
    ) -> list[EarlierCall]:
        return [each for each in self.of_party.get((tenant_id, caller), []) if each.started_at >= since][:limit]
