"""Plays one answer to the caller: never too far ahead, never twice, and silent at once when told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError
from shared.domain.ledger import Moment
from shared.domain.playback import Piece, Playback, Sent
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.media_channel import MediaChannel
from shared.ports.media_codec import FrameDecoder
from shared.ports.pipes import Pipes
from shared.use_cases.synthesis import Synthesis

_UNCERTAIN_WAIT_MS = 6000
_CAUGHT_UP_MS = 1000
_JOIN_MS = 5
_RESENT = "resent"


class Speaking:
    """One answer on its way to the ear."""

    def __init__(
        self,
        pipes: Pipes,
        live_calls: LiveCalls,
        *,
        channel: MediaChannel,
        clock: Clock,
        request: TurnRequest,
        synthesis: Synthesis,
        new_decoder: Callable[[], FrameDecoder],
    ) -> None:
        self.channel = channel
        self.is_stopped = False
        self.stopped_at_ms = 0.0
        self._pipes = pipes
        self._live_calls = live_calls
        self._clock = clock
        self._request = request
        self._synthesis = synthesis
        self._new_decoder = new_decoder
        self._playback = Playback()
        self._shown = 0
        self._retracted = ""
        self._marks_after = "0-0"

    @property
    def has_spoken(self) -> bool:
        return bool(self._playback.sent)

    def stop(self, at_ms: float | None = None) -> None:
        """Send nothing more. What was heard is counted up to now, or up to `at_ms`."""
        if not self.is_stopped:
            self.is_stopped, self.stopped_at_ms = True, self._clock.now_ms() if at_ms is None else at_ms
            self._synthesis.ready.put_nowait(None)  # wakes whoever waits for the next piece

    def heard(self) -> str:
        """The words that reached the caller."""
        until_ms = self.stopped_at_ms if self.is_stopped else self._playback.ends_at_ms
        return self._playback.heard(self._synthesis.sentences, until_ms)

    def is_heard(self, grace_ms: int) -> bool:
        """Whether everything sent has been played: its last mark is here, or is overdue."""
        overdue = self._clock.now_ms() > self._playback.ends_at_ms + grace_ms
        return self._playback.all_marked or overdue

    async def restore(self, live: LiveCall) -> None:
        """Take up what went out before this step was run again. Whether the very last piece did is uncertain."""
        journal = await self._live_calls.journal(self._request.call_id, self._request.turn)
        resent, _, resent_from_ms = journal.get(_RESENT, "").partition(" ")
        for entry in await self._pipes.read(self._pipe(pipe_names.SENT)):
            from_ms = resent_from_ms if entry.position == resent else entry.fields[b"from_ms"]
            self._playback.restore(Sent(self._synthesis.pieces[entry.position], float(from_ms)))
        for piece in self._synthesis.pieces.values():
            if piece.last and not piece.pcm:
                self._playback.finish(piece.sentence)
        if not self.has_spoken:
            newest = await self._pipes.last(pipe_names.events(self._request.call_id))
            self._marks_after = newest.position if newest else "0-0"
        elif not await self._was_played(self._playback.sent[-1], live):
            self._retracted = self._playback.sent[-1].piece.position
            self._playback.retract()
        self._shown = self._playback.sent[-1].piece.sentence if self.has_spoken else 0

    async def _was_played(self, last: Sent, live: LiveCall) -> bool:
        """Whether the carrier has played the piece. Marks and frames of a connection come in order, so once
        frames from after its end have come in, its mark has too, or never will.
        """
        began_ms = self._clock.now_ms()
        mark = last.piece.mark(self._request.turn).encode()
        while True:
            now_ms = self._clock.now_ms()
            # The frames are looked at before the marks: a mark that comes between the two looks must count.
            stream_ms = await self._stream_ms()
            has_caught_up = live.started_ms + stream_ms > last.until_ms + _CAUGHT_UP_MS
            # Where frames bear no time, only the wall clock can tell.
            give_up_at_ms = (
                began_ms + _UNCERTAIN_WAIT_MS if stream_ms else max(began_ms, last.until_ms) + _CAUGHT_UP_MS
            )
            for entry in await self._pipes.read(pipe_names.events(self._request.call_id)):
                if entry.fields.get(b"event") == b"mark" and entry.fields.get(b"name") == mark:
                    return True
            if has_caught_up or now_ms > give_up_at_ms:
                return False
            await self._clock.sleep_ms(20)

    async def _stream_ms(self) -> int:
        """The carrier's own time of the newest frame that has come in; 0 where frames bear none."""
        newest = await self._pipes.last(pipe_names.frames(self._request.call_id))
        if newest is None or b"d" not in newest.fields:
            return 0
        try:
            return self._new_decoder().decode(newest.fields[b"d"]).at_ms
        except MediaError:
            return 0

    async def run(self) -> None:
        """Send piece after piece until the answer ends or is stopped. Raises: MediaError when the line is gone."""
        done = {sent.piece.position for sent in self._playback.sent}
        while not self.is_stopped:
            piece = await self._synthesis.ready.get()
            if piece is None:
                return
            if piece.position in done:
                continue
            if await self._hold_back():
                return
            await self._send(piece)

    async def _hold_back(self) -> bool:
        """Wait until the piece may go out; True if the answer was stopped meanwhile."""
        while not self.is_stopped and (wait_ms := self._playback.wait_ms(self._clock.now_ms())) > 0:
            await self._clock.sleep_ms(min(wait_ms, 20))
        return self.is_stopped

    async def _send(self, piece: Piece) -> None:
        if not piece.pcm:
            self._playback.finish(piece.sentence)
            return
        sent = self._playback.send(piece, self._clock.now_ms())
        if piece.position == self._retracted:  # it has its entry in the pipe, with the time of the first attempt
            again = {_RESENT: f"{piece.position} {sent.from_ms!r}"}
            await self._live_calls.note(self._request.call_id, self._request.turn, again)
        await self._pipes.append(
            self._pipe(pipe_names.SENT), {"from_ms": repr(sent.from_ms)}, position=piece.position
        )
        await self.channel.play(piece.pcm, piece.mark(self._request.turn))
        if len(self._playback.sent) == 1:
            await self._live_calls.note_once(
                self._request.call_id, self._request.turn, Moment.FIRST_FRAME_SENT, self._clock.now_ms()
            )
        if piece.sentence > self._shown:
            self._shown = piece.sentence
            text = self._synthesis.sentences[piece.sentence - 1]
            await self.channel.show({"type": "said", "turn": self._request.turn, "text": text})
            await self._live_calls.note(
                self._request.call_id, self._request.turn, {"saying": " ".join(self._synthesis.sentences)}
            )

    async def follow_marks(self) -> None:
        """Note the marks of this turn as they come back; runs until it is cancelled."""
        prefix = f"{self._request.turn}-"
        events = pipe_names.events(self._request.call_id)
        async with aclosing(self._pipes.follow(events, self._marks_after)) as batches:
            async for batch in batches:
                for entry in batch:
                    name = entry.fields.get(b"name", b"").decode()
                    # After a clear the carrier sends the marks of what it threw away; they mean nothing.
                    if entry.fields.get(b"event") == b"mark" and name.startswith(prefix) and not self.is_stopped:
                        self._playback.mark(name.removeprefix(prefix))

    def runs(self) -> list[tuple[float, bytes]]:
        """What sounded, as (from when on the wall clock, PCM16 16 kHz), joined where there was no gap."""
        joined: list[tuple[float, bytearray]] = []
        for sent in self._playback.sent:
            pcm = sent.piece.pcm
            if self.is_stopped:
                pcm = pcm[: max(0, int(self.stopped_at_ms - sent.from_ms)) * BYTES_PER_MS]
            if joined and abs(joined[-1][0] + len(joined[-1][1]) / BYTES_PER_MS - sent.from_ms) < _JOIN_MS:
                joined[-1][1].extend(pcm)
            elif pcm:
                joined.append((sent.from_ms, bytearray(pcm)))
        return [(from_ms, bytes(pcm)) for from_ms, pcm in joined]

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self._request.call_id, self._request.turn, name)
