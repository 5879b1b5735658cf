"""Whom else the providers have dialled during a call, read from what the phone simulator keeps of every end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_EVENTS: Final = "events.json"
_IN_A_ROOM: Final = "room_told"


def transfers(calls: Path, caller: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As tools: to which number, whether the caller met the person there, and what that one was told before.

    `calls`: the simulator's folder; `caller`: the events of the caller's own end. At the number that was called
    nobody but the agent is met.
    """
    since_ms, own = caller[0]["at_ms"], caller[0]["to"]
    met = {event.get("call_sid") for event in caller if event["event"] == "bridged"}
    ends = [(events, events[0]) for events in _kept(calls) if events and events[0].get("at_ms", 0) >= since_ms]
    return [
        {
            "name": "transfer",
            "arguments": {
                "to": first["to"],
                "answered": first["call_sid"] in met or any(event["event"] == _IN_A_ROOM for event in events),
                "whisper": _said(events),
            },
        }
        for events, first in sorted(ends, key=lambda end: float(end[1]["at_ms"]))
        if first.get("direction", "").startswith("outbound") and first.get("to") != own
    ]


def _kept(calls: Path) -> list[Sequence[Mapping[str, Any]]]:
    found: list[Sequence[Mapping[str, Any]]] = []
    for file in calls.glob(f"*/{_EVENTS}"):
        try:
            found.append(json.loads(file.read_text(encoding="utf-8"))["events"])
        except (OSError, ValueError, LookupError, TypeError):
            continue  # of a call that is being written
    return found


def _said(events: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(str(event["text"]) for event in events if event["event"] == "provider_says")
