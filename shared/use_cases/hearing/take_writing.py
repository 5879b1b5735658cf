"""Tells of a turn's takes: tentative at a pause, withdrawn when the caller goes on, final at the end."""

from __future__ import annotations

from shared.domain import pipe_names, takes
from shared.domain.ledger import Cost
from shared.domain.steps import TurnRequest
from shared.ports.pipes import Pipes


class TakeWriting:
    """Writes into the transcript pipe of one turn. `standing`: how the turn ended, if this step was run before."""

    def __init__(self, pipes: Pipes, request: TurnRequest, *, speculates: bool) -> None:
        self.standing: takes.Final | takes.Failed | None = None
        self._pipes = pipes
        self._pipe = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
        self._speculates = speculates
        self._take = 0
        self._tentative: str | None = None
        self._withdrawn = 0

    @property
    def costs(self) -> dict[Cost, float]:
        return {Cost.TAKES: self._take, Cost.TAKES_WITHDRAWN: self._withdrawn}

    async def restore(self) -> None:
        """Take up what was written before this step was run again: its takes are overtaken by new ones."""
        for entry in await self._pipes.read(self._pipe):
            event = takes.read(entry.position, entry.fields)
            if isinstance(event, takes.Final | takes.Failed):
                self.standing = event
            if not isinstance(event, takes.Ended):
                self._take = max(self._take, event.take)

    async def pause(self, text: str) -> None:
        """The caller pauses, having said this much."""
        if not self._speculates or not text or self.standing or text == self._tentative:
            return
        self._overtake()
        self._take += 1
        self._tentative = text
        await self._write(takes.Tentative(self._take, text))

    async def go_on(self) -> None:
        """The caller was not done."""
        if self._tentative is not None:
            self._overtake()
            await self._write(takes.Withdrawn(self._take))

    async def end(self, text: str | None) -> None:
        """The turn is over, and this is what was said; None: nobody knows."""
        if self.standing:
            return
        if text is None or text != self._tentative:
            self._overtake()
            self._take += 1
        await self._write(takes.Failed(self._take) if text is None else takes.Final(self._take, text))

    def _overtake(self) -> None:
        if self._tentative is not None:
            self._tentative = None
            self._withdrawn += 1

    async def _write(self, event: takes.TakeEvent) -> None:
        position, fields = takes.written(event)
        await self._pipes.append(self._pipe, fields, position=position)
