"""What the caller hears of the agent just now, to tell its echo from the caller's own voice."""

from __future__ import annotations

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.echo import PLAYED_MS, EchoDetector
from shared.domain.steps import TurnRequest
from shared.ports.pipes import Pipes

_FRESH_MS = 200
"""For so long what was read is good enough: sound is sent ahead of its time."""


class AgentSound:
    """The answer of the turn before `request`'s, as it was sent."""

    def __init__(self, pipes: Pipes, request: TurnRequest) -> None:
        self._pipes = pipes
        self._request = request
        self._detector = EchoDetector()
        self._pieces: dict[str, bytes] = {}
        self._newest_piece = "0-0"
        self._sent: list[tuple[float, bytes]] = []
        self._newest_sent = "0-0"
        self._read_at_ms = 0.0

    async def is_echo(self, sound: bytes, at_ms: float) -> bool:
        """Whether this sound of the caller's side (PCM16 16 kHz), which ends at `at_ms` (Unix epoch), is the agent's
        own voice coming back.
        """
        if at_ms - self._read_at_ms > _FRESH_MS:
            await self._read()
            self._read_at_ms = at_ms
        played = self._played(at_ms)
        return bool(played) and self._detector.is_echo(sound, played)

    async def _read(self) -> None:
        for entry in await self._pipes.read(self._pipe(pipe_names.AUDIO), self._newest_piece):
            self._newest_piece = entry.position
            self._pieces[entry.position] = entry.fields[b"pcm"]
        for entry in await self._pipes.read(self._pipe(pipe_names.SENT), self._newest_sent):
            self._newest_sent = entry.position
            if b"from_ms" in entry.fields:
                piece = entry.fields.get(b"pcm") or self._pieces.get(entry.fields[b"piece"].decode(), b"")
                skipped = int(entry.fields.get(b"skipped", b"0"))
                self._sent.append((float(entry.fields[b"from_ms"]), piece[skipped:]))

    def _played(self, until_ms: float) -> bytes:
        """The last `PLAYED_MS` on the line; empty if there was silence only."""
        from_ms = until_ms - PLAYED_MS
        line = bytearray(PLAYED_MS * BYTES_PER_MS)
        heard = False
        for began_ms, pcm in self._sent:
            start = int(began_ms - from_ms) * BYTES_PER_MS
            if start >= len(line) or start + len(pcm) <= 0:
                continue
            heard = True
            audible = pcm[max(0, -start) : len(line) - start]
            line[max(0, start) : max(0, start) + len(audible)] = audible
        return bytes(line) if heard else b""

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self._request.call_id, self._request.turn - 1, name)
