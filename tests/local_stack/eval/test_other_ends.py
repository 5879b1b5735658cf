"""Whom the provider has dialled for the caller is read from what the simulator keeps of every end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_stack.eval.other_ends import transfers

PERSON, OURS = "+14155550190", "+15550001111"


def kept(
    calls: Path, name: str, at_ms: float, *events: dict[str, Any], to: str = PERSON, way: str = "outbound-api"
) -> None:
    first = {"event": "call_started", "at_ms": at_ms, "direction": way, "to": to, "call_sid": name}
    (calls / name).mkdir()
    (calls / name / "events.json").write_text(json.dumps({"summary": {}, "events": [first, *events]}))


def test_who_was_dialled_since_and_what_they_heard(tmp_path: Path) -> None:
    kept(tmp_path, "c", 400, {"event": "call_answered"})
    kept(tmp_path, "b", 300, {"event": "provider_says", "text": "From the desk."}, {"event": "room_told"})
    kept(tmp_path, "a", 200, {"event": "call_ended"}, way="outbound")
    kept(tmp_path, "before", 90, {"event": "room_told"})
    kept(tmp_path, "caller", 150, way="inbound")
    kept(tmp_path, "agent", 150, to=OURS)
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "events.json").write_text("{")
    caller = [{"event": "call_started", "at_ms": 100, "to": OURS}, {"event": "bridged", "call_sid": "c"}]
    assert [each["arguments"] for each in transfers(tmp_path, caller)] == [
        {"to": PERSON, "answered": False, "whisper": ""},
        {"to": PERSON, "answered": True, "whisper": "From the desk."},
        {"to": PERSON, "answered": True, "whisper": ""},
    ]
    assert {each["name"] for each in transfers(tmp_path, caller)} == {"transfer"}
