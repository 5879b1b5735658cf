"""Which tool calls have begun and what came of them, so that a step that runs again does nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.ports.tool_box import ToolRequest, ToolResult


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A call that has begun before. `result` None: it has no end, or nobody has come to note it."""

    name: str
    arguments: Mapping[str, Any]
    result: ToolResult | None


class ToolLedger(Protocol):
    """Raises `StoreError` from every method when the store does not answer in time."""

    async def begin(self, request: ToolRequest) -> LedgerEntry | None:
        """None: from now on it has begun, here. Else what is known of the one with this key, atomically."""
        ...

    async def finish(self, request: ToolRequest, result: ToolResult) -> None:
        """What came of it; noting it again changes nothing."""
        ...

    async def forget(self, request: ToolRequest) -> None:
        """It has certainly not happened: it may begin anew."""
        ...

    async def sweep(self, before: datetime) -> int:
        """Delete all that began before; no step runs again after so long. How many there were."""
        ...
