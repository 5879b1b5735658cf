"""What of an answer's speaking is written down: in the turn's journal, for the next turn, and for the records."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from shared.domain import pipe_names
from shared.domain.ledger import Cost, Moment
from shared.domain.playback import Playback, Sent
from shared.domain.steps import TurnRequest
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.use_cases.calls.sound_pieces import SoundPieces
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.speaking.synthesis import Synthesis


class SpeakingNotes:
    """Of one turn. `shown`: the sentence that was begun last."""

    def __init__(
        self, pipes: FencedPipes, live_calls: LiveCalls, request: TurnRequest, journal: Mapping[str, str]
    ) -> None:
        self.shown = 0
        self._has_first = Moment.FIRST_FRAME_SENT in journal
        self.costs: dict[Cost, float] = {}
        self._pipes = pipes
        self._live_calls = live_calls
        self._request = request

    def count(self, cost: Cost, amount: float = 1) -> None:
        """Add to the costs; they are written at the end."""
        if amount:
            self.costs[cost] = self.costs.get(cost, 0) + amount

    def of_sent(self, sent: Sent, final: Synthesis, now_ms: float) -> tuple[dict[str, str | float], str]:
        """What is to be noted of a piece that went out, and the sentence that begins with it, if one does."""
        entries: dict[str, str | float] = {}
        if not self._has_first:
            self._has_first = True
            entries[Moment.FIRST_FRAME_SENT] = now_ms
            if final.first_byte_ms is not None:
                entries[Moment.FIRST_AUDIO_BYTE] = final.first_byte_ms
        if sent.piece.sentence <= self.shown:
            return entries, ""
        self.shown, texts = sent.piece.sentence, final.texts
        entries["saying"] = " ".join(texts[number] for number in sorted(texts) if number <= self.shown)
        return entries, texts[self.shown]

    async def note(self, entries: Mapping[str, str | float]) -> None:
        if entries:
            await self._live_calls.note(self._request.call_id, self._request.turn, entries)

    async def held(self, number: int, at_ms: float, said: str, playback: Playback, left_ms: float) -> None:
        """What was heard until the line fell silent, and how much was left; the journal has it before the next turn
        is told.
        """
        await self._pipes.still_mine()
        await self.note({"said": said})
        last = playback.sent[-1] if playback.sent else None
        heard_bytes = 0 if last is None else last.heard_bytes or 0
        fields = {
            "event": "held",
            "said": said,
            "at_ms": repr(at_ms),
            "sent": str(playback.newest),
            "last": str(last.number if last else 0),
            "heard_bytes": str(heard_bytes),
            "left_ms": repr(left_ms),
        }
        await self._pipes.append(self._pipe(pipe_names.SPOKEN), fields, position=f"{number}-0")

    async def closed(self, entries: Mapping[str, str | float]) -> None:
        """How the turn ended: `said`, `outcome` and the last moments."""
        await self._pipes.still_mine()
        await asyncio.gather(self.note(entries), self._write_costs())

    async def _write_costs(self) -> None:
        if self.costs:
            await self._live_calls.count(self._request.call_id, self._request.turn, self.costs)

    async def over(self, said: str, outcome: str) -> str:
        """Tell the next turn how this one ended; gives the outcome."""
        fields = {"event": "end", "said": said, "outcome": outcome}
        await self._pipes.append(self._pipe(pipe_names.SPOKEN), fields, position=pipe_names.END_POSITION)
        # Nobody asks for this sound again, and a long call has more of it than the pipes' server has memory.
        await asyncio.gather(
            self._pipes.trim(self._pipe(pipe_names.AUDIO), pipe_names.END_POSITION),
            self._pipes.trim(self._pipe(pipe_names.SENT), pipe_names.END_POSITION),
        )
        return outcome

    async def keep_sound(self, files: FileStore, live: LiveCall, playback: Playback) -> None:
        """What sounded, for the recording, at its place on the stream's time line."""
        for from_ms, pcm in playback.runs(playback.ends_at_ms):
            at_ms = max(0, int(from_ms - live.started_ms))
            await SoundPieces(files).keep(self._request, "agent", at_ms, pcm)

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self._request.call_id, self._request.turn, name)
