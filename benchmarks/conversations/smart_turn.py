"""The end-of-turn model smart-turn v3, for comparison: it hears the last eight seconds, not the words.

Source: https://github.com/pipecat-ai/smart-turn (BSD-2-Clause); its input is Whisper's log-mel spectrogram, as in
https://github.com/openai/whisper (`audio.py`). The model file is fetched from a pinned package, not installed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from local_stack.speech.local.onnx_session import open_session
from shared.domain.audio import samples_of

_PACKAGE = "pipecat-ai==1.14.0"
_MEMBER = "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"
_SHA256 = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
_RATE_HZ, _SECONDS = 16_000, 8
_FRAME, _HOP, _MELS = 400, 160, 80

_Floats = npt.NDArray[np.float64]


def fetched(folder: Path) -> Path:
    """The model file. Raises: SystemExit if it cannot be had, or is not the one that was measured."""
    path = folder / Path(_MEMBER).name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), _PACKAGE]
        subprocess.run(command, check=True, timeout=300)
        wheel = next(folder.glob("pipecat_ai-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            path.write_bytes(archive.read(_MEMBER))
        wheel.unlink()
    if hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise SystemExit(f"{path} is not the model that was measured")
    return path


class SmartTurn:
    """Counts the CPU time that it takes."""

    def __init__(self, model: Path) -> None:
        self._session = open_session(model, 1)
        self.cpu_ms: list[float] = []

    def finished(self, pcm: bytes) -> float:
        """How likely PCM16 16 kHz is a whole turn, 0–1."""
        began_s = time.thread_time()
        features = log_mel(np.divide(samples_of(pcm), 32768, dtype=np.float32))
        (answer, *_) = self._session.run(None, {"input_features": features[np.newaxis]})
        self.cpu_ms.append((time.thread_time() - began_s) * 1000)
        return float(np.ravel(answer)[0])


def log_mel(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Shape (80, 800): Whisper's features of the last eight seconds, silence before what is shorter."""
    wanted = _RATE_HZ * _SECONDS
    samples = np.pad(samples[-wanted:], (wanted - len(samples[-wanted:]), 0))
    samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    padded = np.pad(samples.astype(np.float64), _FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP][:-1]
    window = np.hanning(_FRAME + 1)[:-1]
    power = np.square(np.abs(np.fft.rfft(frames * window, axis=-1)))
    levels = np.log10(np.maximum(power @ _MEL_FILTERS, 1e-10)).T
    levels = np.maximum(levels, levels.max() - 8.0)
    features: npt.NDArray[np.float32] = ((levels + 4.0) / 4.0).astype(np.float32)
    return features


def _mel_filters() -> _Floats:
    """Triangles that are even on Slaney's mel scale: linear below 1 kHz, logarithmic above."""
    step, knee_hz = 200.0 / 3, 1000.0
    knee, growth = knee_hz / step, np.log(6.4) / 27
    mels = np.linspace(0, knee + np.log(_RATE_HZ / 2 / knee_hz) / growth, _MELS + 2)
    edges = np.where(mels < knee, mels * step, knee_hz * np.exp(growth * (mels - knee)))
    bins = np.linspace(0, _RATE_HZ / 2, _FRAME // 2 + 1)
    rises = (bins[:, np.newaxis] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falls = (edges[2:] - bins[:, np.newaxis]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rises, falls))
    return np.asarray(triangles * (2.0 / (edges[2:] - edges[:-2])), np.float64)


_MEL_FILTERS = _mel_filters()
