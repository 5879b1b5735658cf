"""Transcribes speech in pieces while it comes, so that at its end only the last piece is to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from local_stack.speech.audio import Floats, Pcm
from local_stack.speech.backend import Context

SHORTEST_PIECE_S = 2.0
"""Shorter pieces have too little context: the model then makes sentences of fragments."""
LONGEST_PIECE_S = 8.0
DIP_S = 0.12
"""Words are not cut where it is quiet for this long."""
_DIP_DB = -30.0
"""Quiet is what lies this far under the loudest of the piece."""
_BLOCK_S = 0.02

Transcribe = Callable[[Pcm], Awaitable[str]]


class StretchInPieces:
    """Fills `HearingStream`: a piece ends in the first dip after `SHORTEST_PIECE_S`, or where it is quietest."""

    def __init__(self, transcribe: Transcribe, rate_hz: int) -> None:
        self._transcribe = transcribe
        self._rate_hz = rate_hz
        self._open = np.zeros(0, np.float32)
        self._levels: list[float] = []
        """Power of each whole block of the open piece."""
        self._length = 0
        self._pieces: list[asyncio.Task[str]] = []

    @property
    def seconds(self) -> float:
        return self._length / self._rate_hz

    def feed(self, samples: Floats) -> None:
        self._length += len(samples)
        self._open = np.concatenate([self._open, samples])
        block = round(_BLOCK_S * self._rate_hz)
        while (len(self._levels) + 1) * block <= len(self._open):
            begin = len(self._levels) * block
            self._levels.append(float(np.square(self._open[begin : begin + block]).mean()))
            if (cut := self._cut()) is not None:
                self._end_piece(cut * block)

    async def words(self, context: Context) -> str:
        self._end_piece(len(self._open))
        try:
            texts = [await piece for piece in self._pieces]
        finally:
            for piece in self._pieces:
                piece.cancel()
        return " ".join(text for text in texts if text)

    def _cut(self) -> int | None:
        """The block before which the open piece is to end, if it is to end now."""
        blocks = len(self._levels)
        if blocks * _BLOCK_S < SHORTEST_PIECE_S:
            return None
        dip = round(DIP_S / _BLOCK_S)
        quiet = max(self._levels) * 10 ** (_DIP_DB / 10)
        if max(self._levels[-dip:]) <= quiet:
            return blocks - dip // 2
        if blocks * _BLOCK_S < LONGEST_PIECE_S:
            return None
        late = blocks * 2 // 3
        return late + int(np.argmin(self._levels[late:]))

    def _end_piece(self, length: int) -> None:
        piece, self._open = self._open[:length], self._open[length:]
        self._levels = []
        if len(piece):
            self._pieces.append(asyncio.create_task(self._hear(piece)))

    async def _hear(self, piece: Floats) -> str:
        return await self._transcribe(Pcm(piece, self._rate_hz))
