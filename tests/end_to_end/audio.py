"""Pieces of the WAV files that a simulated call leaves behind."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np


def cut(path: Path, from_ms: float, until_ms: float) -> bytes:
    """A part of a WAV file as a WAV."""
    with wave.open(str(path)) as source:
        rate_hz = source.getframerate()
        source.setpos(max(0, min(source.getnframes(), int(from_ms * rate_hz / 1000))))
        frames = source.readframes(max(0, int((until_ms - max(0.0, from_ms)) * rate_hz / 1000)))
        target = io.BytesIO()
        with wave.open(target, "wb") as part:
            part.setnchannels(source.getnchannels())
            part.setsampwidth(source.getsampwidth())
            part.setframerate(rate_hz)
            part.writeframes(frames)
    return target.getvalue()


def channel(wav: bytes, side: int) -> bytes:
    """One side of a stereo WAV as a WAV; 0 is the left one."""
    target = io.BytesIO()
    with wave.open(io.BytesIO(wav)) as source, wave.open(target, "wb") as part:
        assert (source.getnchannels(), source.getsampwidth()) == (2, 2)
        part.setnchannels(1)
        part.setsampwidth(2)
        part.setframerate(source.getframerate())
        samples = np.frombuffer(source.readframes(source.getnframes()), "<i2")
        part.writeframes(samples[side::2].tobytes())
    return target.getvalue()


def stream_started_ms(result: dict[str, Any]) -> float:
    """When the time line of the call's WAV files begins (Unix epoch)."""
    events = json.loads(Path(result["files"]["events"]).read_text())["events"]
    return next(float(event["at_ms"]) for event in events if event["event"] == "stream_started")


def one_after_the_other(first: Path, second: Path, *, pause_ms: int) -> bytes:
    """Two WAV files of one format as one WAV, with silence between them."""
    target = io.BytesIO()
    with wave.open(str(first)) as before, wave.open(str(second)) as after, wave.open(target, "wb") as whole:
        whole.setparams(before.getparams())
        whole.writeframes(before.readframes(before.getnframes()))
        whole.writeframes(bytes(pause_ms * before.getframerate() // 1000 * before.getsampwidth()))
        whole.writeframes(after.readframes(after.getnframes()))
    return target.getvalue()
