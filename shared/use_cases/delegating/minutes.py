"""What is kept of a conversation that somebody else's agent leads: words as turns, sound for the recording."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shared.domain.audio import BYTES_PER_MS
from shared.domain.call import Turn, TurnOutcome
from shared.domain.steps import TurnRequest
from shared.ports.call_store import CallStore
from shared.use_cases.calls.sound_pieces import SoundPieces


@dataclass(slots=True)
class Minutes:
    """`turn`: the one that is being written; 0 is what the agent says before the caller."""

    call_store: CallStore
    request: TurnRequest
    turn: Turn = field(default_factory=lambda: Turn(0, None, "", TurnOutcome.RUNNING))

    async def restore(self) -> list[Turn]:
        """Go on after what was written before; gives that."""
        call = await self.call_store.get(self.request.tenant_id, self.request.call_id)
        turns = list(call.turns) if call is not None else []
        if turns:
            self.turn = turns[-1]
        return turns

    async def caller_said(self, text: str) -> Turn:
        if self.turn.said or not self.turn.number:
            self.turn = Turn(self.turn.number + 1, text, "", TurnOutcome.RUNNING)
        else:
            self.turn = replace(self.turn, heard=f"{self.turn.heard or ''} {text}".strip())
        await self._save()
        return self.turn

    async def agent_said(self, text: str) -> Turn:
        said = f"{self.turn.said} {text}".strip()
        self.turn = replace(self.turn, said=said, outcome=TurnOutcome.COMPLETED)
        await self._save()
        return self.turn

    async def interrupted(self, share: float) -> None:
        """Of the agent's words only this share was heard, from 0 to 1; which words those are is an estimate."""
        words = self.turn.said.split()
        if words:
            heard = " ".join(words[: round(share * len(words))])
            self.turn = replace(self.turn, said=heard, outcome=TurnOutcome.INTERRUPTED)
            await self._save()

    async def _save(self) -> None:
        await self.call_store.save_turn(self.request.tenant_id, self.request.call_id, self.turn)


@dataclass(slots=True)
class SoundKeeping:
    """Both sides on the stream's time line. `plays_until_ms`: where the agent's sound ends that was sent."""

    pieces: SoundPieces
    request: TurnRequest
    plays_until_ms: int = 0
    _answer_from_ms: int | None = None
    _caller: bytearray = field(default_factory=bytearray)
    _caller_from_ms: int = 0
    _agent: list[tuple[int, bytes]] = field(default_factory=list)

    def caller_sounded(self, pcm: bytes, until_ms: int) -> None:
        if not self._caller:
            self._caller_from_ms = until_ms - len(pcm) // BYTES_PER_MS
        self._caller += pcm

    def agent_sounded(self, pcm: bytes, now_ms: int) -> None:
        """It is played when all before it has been."""
        begin_ms = max(now_ms, self.plays_until_ms)
        if self._answer_from_ms is None:
            self._answer_from_ms = begin_ms
        self._agent.append((begin_ms, pcm))
        self.plays_until_ms = begin_ms + len(pcm) // BYTES_PER_MS

    def answer_begins(self) -> None:
        """What sounds from now on is another answer."""
        self._answer_from_ms = None

    def cut(self, now_ms: int) -> float:
        """What was not played by now is not; gives the share of the answer that was."""
        share = self._share(now_ms)
        heard = [(at_ms, pcm[: max(0, now_ms - at_ms) * BYTES_PER_MS]) for at_ms, pcm in self._agent]
        self._agent = [(at_ms, pcm) for at_ms, pcm in heard if pcm]
        self.plays_until_ms = min(self.plays_until_ms, now_ms)
        return share

    def _share(self, now_ms: int) -> float:
        if self._answer_from_ms is None:
            return 0.0
        whole_ms = self.plays_until_ms - self._answer_from_ms
        return min(1.0, max(0.0, (now_ms - self._answer_from_ms) / whole_ms)) if whole_ms > 0 else 1.0

    @property
    def caller_ms(self) -> int:
        """How much is held here."""
        return len(self._caller) // BYTES_PER_MS

    async def keep(self) -> None:
        """Put away what is held; of the agent's sound, what can be cut no more."""
        caller, self._caller = bytes(self._caller), bytearray()
        agent, self._agent = self._agent, []
        if caller:
            await self.pieces.keep(self.request, "caller", self._caller_from_ms, caller)
        for at_ms, pcm in agent:
            await self.pieces.keep(self.request, "agent", at_ms, pcm)
