"""One run of the model for all ears that have a piece of sound at the same time: a row costs half of a run alone."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (2, 1, 128)
_RATE = np.array(16_000, dtype=np.int64)
_MOST_ROWS = 16
"""About 0.6 ms: longer, nothing else in the event loop should have to wait."""
_FEW_EARS = 4
_GATHER_S_PER_EAR = 0.001
_LONGEST_GATHER_S = 0.008
"""Beside much else to do, the model is out of the caches when a run begins: a row alone then costs 0.3 to 0.5 ms,
one of five 0.13. What waits 8 ms is late by a quarter of a piece.
"""

Sound = npt.NDArray[np.float32]


class Memory:
    """What the model keeps of one stream between its pieces."""

    __slots__ = ("__weakref__", "context", "state")

    def __init__(self) -> None:
        self.context: Sound = np.zeros(_CONTEXT_SAMPLES, dtype=np.float32)
        self.state: Sound = np.zeros(_STATE_SHAPE, dtype=np.float32)


class Batch:
    """Gathers pieces and runs them together: few ears in the next turn of the event loop, many after a moment.

    A stream whose waiter is cancelled before the run has not heard its piece.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._ears: WeakSet[Memory] = WeakSet()
        self._waiting: dict[Memory, tuple[Sound, asyncio.Future[float]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._run_at: asyncio.Handle | None = None

    def open(self) -> Memory:
        """A stream that has heard nothing yet."""
        memory = Memory()
        self._ears.add(memory)
        return memory

    async def probability(self, memory: Memory, sound: Sound) -> float:
        """Shape (512,), −1 to 1; one piece of a stream at a time."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._waiting = loop, {}
        known = self._waiting.get(memory)
        if known is not None and not known[1].done():
            raise RuntimeError("a stream hears one piece after the other")
        heard: asyncio.Future[float] = loop.create_future()
        if not self._waiting:
            gather_s = min(_LONGEST_GATHER_S, _GATHER_S_PER_EAR * (len(self._ears) - _FEW_EARS))
            self._run_at = loop.call_later(gather_s, self._run) if gather_s > 0 else loop.call_soon(self._run)
        self._waiting[memory] = sound, heard
        if len(self._waiting) >= _MOST_ROWS and self._run_at is not None:
            self._run_at.cancel()
            self._run()
        return await heard

    def _run(self) -> None:
        waiting = [
            (memory, sound, heard) for memory, (sound, heard) in self._waiting.items() if not heard.cancelled()
        ]
        self._waiting = {}
        if not waiting:
            return
        try:
            found, states = self._infer(waiting)
        except Exception as error:  # noqa: BLE001 - it goes to those who wait
            for _, _, heard in waiting:
                heard.set_exception(error)
            return
        for row, ((memory, sound, heard), probability) in enumerate(zip(waiting, found, strict=True)):
            memory.context = sound[-_CONTEXT_SAMPLES:]
            memory.state = states[:, row : row + 1]
            heard.set_result(probability)

    def _infer(self, waiting: list[tuple[Memory, Sound, asyncio.Future[float]]]) -> tuple[list[float], Sound]:
        pieces = [piece for memory, sound, _ in waiting for piece in (memory.context, sound)]
        states = [memory.state for memory, _, _ in waiting]
        found, new_states = self._session.run(
            None,
            {
                "input": np.concatenate(pieces).reshape(len(waiting), -1),
                "state": np.concatenate(states, axis=1),
                "sr": _RATE,
            },
        )
        return found[:, 0].tolist(), new_states
