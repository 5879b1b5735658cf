"""How loud the caller's side is, against its own noise and its own speech: where a piece of it ends in quiet.

A speech detector's probability falls only some 100 ms after the voice has ended; energy tells at once.
"""

from __future__ import annotations

import numpy as np

from shared.domain.audio import BYTES_PER_MS, samples_of

_BLOCK_MS = 4
_BLOCK_SAMPLES = _BLOCK_MS * BYTES_PER_MS // 2
_SILENT_DB = 12.0
"""Anything below is silence: µ-law at rest. All levels are decibels over one step of 16 bits."""
_FLOOR_RISES_DB = 0.03
_SPEECH_FALLS_DB = 0.03
"""A chunk; both levels follow within tens of seconds where nothing shows them sooner."""
_OVER_FLOOR_DB = 8.0
_BELOW_SPEECH_DB = 28.0
_SPEECH_OVER_QUIET_DB = 18.0
"""Where noise is nearer to speech than this, energy cannot tell them apart."""


class Loudness:
    """Keeps the levels of noise and of speech on one line."""

    def __init__(self) -> None:
        self._floor_db: float | None = None
        self._speech_db = 0.0

    @property
    def noise_db(self) -> float:
        """The level of the noise, in decibels over one step of 16 bits."""
        return _SILENT_DB if self._floor_db is None else self._floor_db

    def quiet_tail_ms(self, pcm: bytes) -> int:
        """How many ms at the end of the next PCM16 16 kHz are quiet, in steps of 4."""
        samples = samples_of(pcm).astype(np.float32)
        whole = samples.size - samples.size % _BLOCK_SAMPLES
        if not whole:
            return 0
        power = np.square(samples[:whole].reshape(-1, _BLOCK_SAMPLES)).mean(axis=1)
        levels_db = 10 * np.log10(power + 1.0)
        self._follow(levels_db)
        below = levels_db < self._quiet_below_db()
        loud = np.flatnonzero(~below)
        quiet_blocks = below.size - (int(loud[-1]) + 1 if loud.size else 0)
        return int(quiet_blocks) * _BLOCK_MS

    def _follow(self, levels_db: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
        level_db = float(levels_db.mean())
        rising_db = level_db if self._floor_db is None else self._floor_db + _FLOOR_RISES_DB
        self._floor_db = max(_SILENT_DB, min(level_db, rising_db))
        self._speech_db = max(level_db, self._speech_db - _SPEECH_FALLS_DB)

    def _quiet_below_db(self) -> float:
        noise_db = self.noise_db + _OVER_FLOOR_DB
        return min(max(noise_db, self._speech_db - _BELOW_SPEECH_DB), self._speech_db - _SPEECH_OVER_QUIET_DB)
