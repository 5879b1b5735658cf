"""What listening tells the speaking of the turn before: hold, resume, stop; and whether it still has to be told."""

from __future__ import annotations

from contextlib import aclosing

from shared.domain import interruption, pipe_names
from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.use_cases.waiting import Waiting, is_end

_LAST_WORD_MS = 400


class Interrupting:
    """Writes into the control pipe of the turn before `request`'s. An agent that may not be interrupted is told
    nothing but the end of the call.
    """

    def __init__(self, pipes: Pipes, live_calls: LiveCalls, request: TurnRequest, *, may: bool) -> None:
        self.overlaps = True
        self._pipes = pipes
        self._live_calls = live_calls
        self._request = request
        self._before = request.turn - 1
        self._may = may
        self._holds = 0
        self._is_held = False
        self._is_stopped = False
        self._told_until_ms = 0.0
        self._left_ms: dict[int, float] = {}

    @property
    def was_said(self) -> bool:
        """Whether the answer before was over at the last hold, but for a word for which the caller need not wait."""
        left_ms = self._left_ms.get(self._holds)  # of a hold that came after the end nothing is told
        return not self.overlaps if left_ms is None else left_ms <= _LAST_WORD_MS

    async def restore(self) -> None:
        """Take up what was told before this step was run again."""
        for entry in await self._pipes.read(self._pipe(pipe_names.CONTROL)):
            match interruption.read(entry.position, entry.fields):
                case interruption.Hold(number, at_ms):
                    self._holds, self._is_held, self._told_until_ms = number, True, at_ms
                case interruption.Resume():
                    self._is_held = False
                case interruption.Stop():
                    self._is_stopped = True

    async def watch(self) -> None:
        """Notes how much of the answer before is left at each hold, and when it is over; then ends."""
        spoken = Waiting(self._pipes, self._live_calls).entries(self._request.call_id, self._pipe(pipe_names.SPOKEN))
        async with aclosing(spoken) as entries:
            async for entry in entries:
                if is_end(entry):
                    self.overlaps = False
                    return
                if left_ms := entry.fields.get(b"left_ms"):
                    self._left_ms[int(entry.position.partition("-")[0])] = float(left_ms)

    async def hold(self, at_ms: float) -> None:
        """The caller began to speak at `at_ms` (Unix epoch). What is heard again after a crash is not told again."""
        if not self._may or self._is_held or self._is_stopped or at_ms <= self._told_until_ms:
            return
        self._holds, self._is_held, self._told_until_ms = self._holds + 1, True, at_ms
        await self._tell(interruption.Hold(self._holds, at_ms))

    async def resume(self) -> None:
        """It was nothing."""
        if self._is_held:
            self._is_held = False
            await self._tell(interruption.Resume(self._holds))

    async def stop(self, at_ms: float, *, heard: str | None = None) -> None:
        """The caller has the turn, and has `heard` so much of the answer, where the line knows it."""
        if self._may and self.overlaps:
            await self.end(at_ms, heard=heard)

    async def end(self, at_ms: float, *, heard: str | None = None) -> None:
        """Nothing of the answer is wanted any more, whatever the agent may."""
        if not self._is_stopped:
            self._is_stopped = True
            await self._tell(interruption.Stop(at_ms, heard))

    async def _tell(self, order: interruption.Order) -> None:
        position, fields = interruption.written(order)
        await self._pipes.append(self._pipe(pipe_names.CONTROL), fields, position=position)

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self._request.call_id, self._before, name)
