"""A call as a picture and as one stereo file, from what the call left on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from local_stack.phones import plot, wav
from local_stack.phones.picture.canvas import SCALE
from local_stack.phones.picture.drawing import WIDTH, envelope
from local_stack.phones.picture.rows import LONGEST_S, rows_of
from local_stack.phones.picture.scene import NotACall, read_scene

ZERO_MS = 1_800_000_000_000.0


def _event(name: str, at_s: float, **facts: Any) -> dict[str, Any]:
    return {"event": name, "at_ms": ZERO_MS + at_s * 1000, **facts}


EVENTS = [
    _event("call_started", -0.3, **{"from": "+14155550100", "to": "+15550100001"}),
    _event("call_answered", -0.1),
    _event("line_opened", 0.0, audio_ms=0),
    _event("agent_started", 0.2, turn=0, after_speech_ms=None),
    _event("agent_stopped", 1.0, turn=0, heard_ms=800),
    _event("caller_started", 2.0, turn=1, label="a.wav", text="Hello there", interrupts=False),
    _event("caller_stopped", 3.0, turn=1),
    _event("agent_started", 3.6, turn=1, after_speech_ms=600.0),
    _event("mark_echoed", 4.0, mark="1-0", cleared=False),
    _event("caller_murmured", 4.2, turn=1, label="mhm", duration_ms=300),
    _event("agent_resumed", 4.8, turn=1, silent_ms=400.0),
    _event("clear_received", 5.6, dropped_ms=100),
    _event("caller_started", 5.5, turn=2, label="b.wav", text=None, interrupts=True),
    _event("agent_interrupted", 5.6, stop_ms=100.0, by_clear=True),
    _event("caller_stopped", 6.5, turn=2),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seconds = 8
    tone = (8000 * np.sin(np.arange(8000 * seconds) / 5)).astype(np.int16)
    wav.write(tmp_path / "caller.wav", tone, 8000)
    wav.write(tmp_path / "agent.wav", tone // 2, 8000)
    summary = {"turns": [{"response_ms": None}, {"response_ms": 600.4}]}
    (tmp_path / "events.json").write_text(json.dumps({"summary": summary, "events": EVENTS}))
    moments = {"speech_started_ms": ZERO_MS + 2050, "transcript_ms": ZERO_MS + 3200, "turn_ended_ms": ZERO_MS + 3500,
               "filler_ms": ZERO_MS + 3550}  # fmt: skip
    turns = [
        {"number": 0, "heard": "", "said": "Hi.", "outcome": "completed", "moments": {}},
        {
            "number": 1,
            "heard": "hello, there!",
            "said": "नमस्ते",
            "outcome": "interrupted",
            "moments": moments,
            "costs": {"takes": 2, "takes_withdrawn": 1},
        },
    ]
    record = {"call_id": "c", "state": "completed", "end_reason": "", "turns": turns}
    (tmp_path / "app.json").write_text(json.dumps(record))
    return tmp_path


def test_what_happened_is_placed_in_seconds_from_the_first_frame(folder: Path) -> None:
    scene = read_scene(folder)
    assert scene.seconds == 8
    assert scene.verdict == "answers heard 600 ms after the caller's last word"
    assert [(speech.begins_s, speech.ends_s, speech.heard) for speech in scene.speeches] == [
        (2.0, 3.0, "hello, there!"),
        (5.5, 6.5, ""),
    ]
    greeting, answer, _unanswered = scene.answers
    assert (greeting.begins_s, greeting.ends_s) == (0.2, 1.0)
    assert [(step.name, round(step.after_ms)) for step in answer.steps] == [
        ("words known", 200),
        ("turn over", 500),
        ("heard", 600),
    ]
    assert (answer.begins_s, answer.ends_s, answer.filler_s) == pytest.approx((3.6, 5.6, 3.55))
    assert answer.took == "1 prepared answer thrown away"
    (cut,) = scene.cuts
    assert (cut.begins_s, cut.silent_s) == pytest.approx((5.5, 5.6))
    (murmur,) = scene.murmurs
    assert (murmur.label, murmur.silent_ms) == ("mhm", 400)
    assert (scene.marks_s, scene.clears_s) == ([4.0], [5.6])


def test_without_the_apps_record_the_line_is_drawn_alone(folder: Path) -> None:
    (folder / "app.json").unlink()
    (_greeting, answer, _unanswered) = read_scene(folder).answers
    assert [step.name for step in answer.steps] == ["heard"]


def test_picture_and_stereo_file_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plot.main([str(folder)]) == 0
    assert "call.png" in capsys.readouterr().out
    with Image.open(folder / "call.png") as picture:
        assert picture.width == WIDTH * SCALE
        colours = {colour for _count, colour in picture.convert("RGB").getcolors(1_000_000) or []}
    assert len(colours) > 20
    data = (folder / "call.wav").read_bytes()
    assert int.from_bytes(data[22:24], "little") == 2
    samples = np.frombuffer(data[44:], "<i2").reshape(-1, 2)
    assert np.array_equal(samples[:, 0] // 2, samples[:, 1])


def test_a_folder_without_a_call_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plot.main([str(tmp_path)]) == 2
    assert "does not hold a call" in capsys.readouterr().err
    with pytest.raises(NotACall):
        read_scene(tmp_path / "nothing")


def test_rows_begin_where_the_caller_does_and_none_is_too_long() -> None:
    rows = rows_of(30.0, [2.0, 10.0, 20.0])
    assert rows[0].begins_s == 0
    assert rows[0].ends_s == pytest.approx(9.65)
    assert all(row.seconds <= LONGEST_S * 1.2 for row in rows)
    assert [row.ends_s for row in rows[:-1]] == [row.begins_s for row in rows[1:]]
    assert rows[-1].ends_s == 30.0
    assert len(rows_of(40.0, [])) == 4


def test_an_envelope_has_a_value_for_every_column_also_of_no_sound() -> None:
    peaks, means = envelope(np.array([0, 1000, -2000, 0], np.int16), 2, 2000.0)
    assert len(peaks) == len(means) == 2
    assert peaks[1] == 1.0
    assert list(envelope(np.zeros(0, np.int16), 3, 2000.0)[0]) == [0, 0, 0]
