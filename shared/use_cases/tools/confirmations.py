"""Keeps, for as long as a call lasts, what waits for its caller's yes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from shared.domain.tools.confirmation import Pending, Verdict, fingerprint, judge, words_of
from shared.ports.short_memory import ShortMemory
from shared.ports.tool_box import ToolRequest, ToolResult

_PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Confirmations:
    memory: ShortMemory

    async def question(self, request: ToolRequest) -> ToolResult | None:
        """None: the caller has said yes to just this. Else what the model is told instead of it being done.

        Asking again with the same key changes nothing. Raises: StoreError.
        """
        pending = await self._pending(request.call_id)
        asked = fingerprint(request.name, request.arguments)
        verdict = judge(
            pending,
            asked,
            turn=request.turn,
            key=request.key,
            heard=request.heard,
            language=request.language,
            about=words_of(request.name, request.arguments),
        )
        if verdict is Verdict.DO and pending is not None:
            await self._note(request.call_id, replace(pending, done_by=request.key))
            return None
        if verdict is Verdict.REFUSED:
            await self._note(request.call_id, Pending("", request.turn))
            return _told(request, "the caller has not said a plain yes; it is not done, and does not wait any more")
        if pending is None or (pending.fingerprint, pending.turn) != (asked, request.turn):
            await self._note(request.call_id, Pending(asked, request.turn))
        return _told(
            request,
            "it is not done yet: say to the caller exactly what would be done and ask for a plain yes; after a yes"
            " call this tool again with the same arguments",
        )

    async def _pending(self, call_id: str) -> Pending | None:
        facts = await self.memory.facts(_name(call_id))
        return Pending(**json.loads(facts[_PENDING])) if _PENDING in facts else None

    async def _note(self, call_id: str, pending: Pending) -> None:
        await self.memory.note(_name(call_id), {_PENDING: json.dumps(asdict(pending))})


def _name(call_id: str) -> str:
    return f"confirmation:{call_id}"


def _told(request: ToolRequest, what: str) -> ToolResult:
    return ToolResult({"done": False, "because": what, "would_be_done_with": dict(request.arguments)})
