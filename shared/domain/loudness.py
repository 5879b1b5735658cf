"""How loud the caller's side is, against its own noise and its own speech: where a piece of it ends in quiet.

A speech detector's probability falls only some 100 ms after the voice has ended; energy tells at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

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
        samples = samples_of(pcm)
        whole = samples.size - samples.size % _BLOCK_SAMPLES
        if not whole:
            return 0
        blocks = samples[:whole].astype(np.float64).reshape(-1, _BLOCK_SAMPLES)
        # For as few numbers as these, plain Python is quicker than arrays.
        levels_db = [10 * log10(energy / _BLOCK_SAMPLES + 1) for energy in np.vecdot(blocks, blocks).tolist()]
        self._follow(levels_db)
        below_db = self._quiet_below_db()
        quiet_ms = 0
        for level_db in reversed(levels_db):
            if level_db >= below_db:
                break
            quiet_ms += _BLOCK_MS
        return quiet_ms

    def _follow(self, levels_db: Sequence[float]) -> None:
        level_db = sum(levels_db) / len(levels_db)
        rising_db = level_db if self._floor_db is None else self._floor_db + _FLOOR_RISES_DB
        self._floor_db = max(_SILENT_DB, min(level_db, rising_db))
        self._speech_db = max(level_db, self._speech_db - _SPEECH_FALLS_DB)

    def _quiet_below_db(self) -> float:
        noise_db = self.noise_db + _OVER_FLOOR_DB
        return min(max(noise_db, self._speech_db - _BELOW_SPEECH_DB), self._speech_db - _SPEECH_OVER_QUIET_DB)
