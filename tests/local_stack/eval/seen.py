"""Calls as they would be observed, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local_stack.eval.observed import Observed
from local_stack.eval.scenario import Caller, CallerLine, Scenario


def turn(
    number: int, heard: str | None, said: str, *, outcome: str = "completed", wait_ms: float | None = None
) -> dict[str, Any]:
    latency = None if wait_ms is None else {"total_ms": wait_ms, "parts_ms": {"transcript": wait_ms}}
    return {"number": number, "heard": heard, "said": said, "outcome": outcome, "latency": latency}


def seen(*turns: dict[str, Any], **more: Any) -> Observed:
    record = {"agent_id": "otto", "agent_version": 2, "end_reason": "caller_hung_up", "turns": list(turns)}
    return Observed(record | more.pop("record", {}), **more)


def scenario(**more: Any) -> Scenario:
    given: dict[str, Any] = {
        "name": "one",
        "title": "One",
        "file": Path("one.yaml"),
        "agent": {"name": "Otto"},
        "agent_name": "eval-one",
        "line": "text",
        "caller": Caller((CallerLine("Hello.", "Hello."),)),
    }
    return Scenario(**(given | more))
