"""Recognises known recordings by their loudness over time, which survives cutting and telephone coding."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from local_stack.speech.audio import AudioError, Pcm, read_wav

Envelope = npt.NDArray[np.float64]

_FRAME_S = 0.02
_FLOOR_DB = -40.0
_LEAST_SIMILARITY = 0.75
_LEAST_FRAMES = 20


class Recordings:
    """The recorded voices of a folder (`index.json` as `local_stack.models` writes it), read when needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._envelopes: dict[str, Envelope] | None = None

    def recognise(self, pcm: Pcm, names: list[str]) -> str | None:
        """Which of the named recordings is heard, or None. Part of a recording is enough."""
        heard = envelope(pcm)
        if len(heard) < _LEAST_FRAMES:
            return None
        known = self._known()
        scores = {name: similarity(heard, known[name]) for name in names if name in known}
        best = max(scores, key=lambda name: scores[name], default=None)
        return best if best is not None and scores[best] >= _LEAST_SIMILARITY else None

    def _known(self) -> dict[str, Envelope]:
        if self._envelopes is None:
            try:
                index = json.loads((self._folder / "index.json").read_text(encoding="utf-8"))
                self._envelopes = {
                    voice["id"]: envelope(read_wav((self._folder / voice["file"]).read_bytes())) for voice in index
                }
            except (OSError, ValueError, KeyError, AudioError) as error:
                raise ValueError(f"recorded voices in {self._folder} cannot be read: {error}") from error
        return self._envelopes


def envelope(pcm: Pcm) -> Envelope:
    """Loudness per 20 ms in decibels over the floor, the floor being 40 dB under the loudest; speech only."""
    frame = round(pcm.rate_hz * _FRAME_S)
    blocks = pcm.samples[: len(pcm.samples) // frame * frame].astype(np.float64).reshape(-1, frame)
    if not len(blocks):
        return np.zeros(0)
    power = np.square(blocks).mean(axis=1)
    decibels = 10 * np.log10(np.maximum(power, 1e-10) / max(float(power.max()), 1e-10))
    above = np.maximum(decibels - _FLOOR_DB, 0.0)
    voiced = np.flatnonzero(above > 0)
    return above[voiced[0] : voiced[-1] + 1] if len(voiced) else np.zeros(0)


def similarity(heard: Envelope, known: Envelope) -> float:
    """Best correlation of the shorter envelope along the longer one, from -1 to 1."""
    short, long = sorted((heard, known), key=len)
    if len(short) < _LEAST_FRAMES:
        return -1.0
    windows = np.lib.stride_tricks.sliding_window_view(long, len(short))
    centred = windows - windows.mean(axis=1, keepdims=True)
    template = short - short.mean()
    norms = np.linalg.norm(centred, axis=1) * np.linalg.norm(template)
    correlations = centred @ template / np.maximum(norms, 1e-9)
    return float(correlations.max())
