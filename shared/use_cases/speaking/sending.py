"""Sends sound to the caller's line, and keeps so much of it that nothing is said twice when a worker dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from shared.domain import pipe_names
from shared.domain.errors import MediaError
from shared.domain.playback import Piece, Playback, Sent
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.media_channel import MediaChannel
from shared.ports.pipes import Pipes
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.screens import show

logger = logging.getLogger(__name__)

SENT, LOST = "1", "2"
"""Second parts of the entries that say what became of a sent piece, `{number}-0`: it went out; it never did."""


class AudioKeeping:
    """Writes the final take's pieces into the audio pipe, in order; `kept` of them stand there already."""

    def __init__(self, pipes: Pipes, request: TurnRequest, kept: int) -> None:
        self._pipes = pipes
        self._pipe = pipe_names.turn(request.call_id, request.turn, pipe_names.AUDIO)
        self._kept = kept
        self._lock = asyncio.Lock()

    async def keep(self, pieces: Sequence[Piece], count: int) -> None:
        """Until the first `count` pieces are kept. Who keeps many lets others in after each."""
        while self._kept < count:
            async with self._lock:
                if self._kept < count:
                    piece = pieces[self._kept]
                    fields: dict[str, str | bytes] = {"pcm": piece.pcm, "last": "1" if piece.last else "0"}
                    if piece.text is not None:
                        fields["text"] = piece.text
                    await self._pipes.append(self._pipe, fields, position=piece.position)
                    self._kept += 1


class Afterwards:
    """Does in the background, in order, what nobody has to wait for before the next piece goes out."""

    def __init__(self) -> None:
        self._deeds: asyncio.Queue[Callable[[], Awaitable[object]] | None] = asyncio.Queue()

    def do(self, deed: Callable[[], Awaitable[object]]) -> None:
        self._deeds.put_nowait(deed)

    def end(self) -> None:
        """Let `run` end with what was asked for until now."""
        self._deeds.put_nowait(None)

    async def run(self) -> None:
        while (deed := await self._deeds.get()) is not None:
            await deed()


class Sending:
    """One answer on its way to the ear. `on_first_sound` is called once something of the turn has gone out.

    What goes out is written down before, which an execution of the step that was overtaken cannot: Overtaken.
    """

    def __init__(
        self,
        pipes: FencedPipes,
        clock: Clock,
        request: TurnRequest,
        *,
        channel: MediaChannel,
        playback: Playback,
        keeping: AudioKeeping,
        on_first_sound: Callable[[], None],
    ) -> None:
        self.playback = playback
        self._pipes = pipes
        self._clock = clock
        self._request = request
        self._pipe = pipe_names.turn(request.call_id, request.turn, pipe_names.SENT)
        self._channel = channel
        self._keeping = keeping
        self._on_first_sound = on_first_sound

    async def send(self, pieces: Sequence[Piece], index: int, skipped_bytes: int) -> Sent:
        """Send a piece of the answer, or its rest. Raises: MediaError, StoreError."""
        sent = self.playback.send(pieces[index], self._clock.now_ms(), skipped_bytes)
        fields: dict[str, str | bytes] = {"piece": sent.piece.position, "skipped": str(skipped_bytes)}
        await asyncio.gather(self._keeping.keep(pieces, index + 1), self._note(sent, fields))
        await self._play(sent)
        return sent

    async def send_filler(self, pcm: bytes) -> Sent:
        """Send a sound that is not part of the answer. Raises: MediaError, StoreError."""
        piece = Piece(0, self.playback.newest + 1, pcm, last=True)
        sent = self.playback.send(piece, self._clock.now_ms())
        await self._note(sent, {"pcm": pcm})
        await self._play(sent)
        return sent

    async def confirm(self, sent: Sent) -> None:
        """Note that it went out, unless the entry of the next one says so already."""
        if sent.number == self.playback.newest:
            await self._pipes.append(self._pipe, {"event": "sent"}, position=f"{sent.number}-{SENT}")

    async def clear(self) -> None:
        """Throw away what the carrier has not played; a line that is gone has nothing to throw away."""
        await self._pipes.still_mine()
        try:
            await self._channel.clear()
        except MediaError as error:
            logger.info("call %s turn %d: not cleared: %s", self._request.call_id, self._request.turn, error.code)

    async def show(self, text: str) -> None:
        await show(self._channel, self._request.call_id, self._request.turn, {"type": "said", "text": text})

    async def _note(self, sent: Sent, fields: dict[str, str | bytes]) -> None:
        noted = {**fields, "from_ms": repr(sent.from_ms), "mark": "1" if sent.is_marked else "0"}
        await self._pipes.append(self._pipe, noted, position=f"{sent.number}-0")

    async def _play(self, sent: Sent) -> None:
        mark = f"{self._request.turn}-{sent.number}" if sent.is_marked else None
        await self._channel.play(sent.pcm, mark)
        self._on_first_sound()
