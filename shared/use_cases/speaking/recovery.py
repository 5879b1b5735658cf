"""What speaking did in a turn before it was run again: read from the pipes, so that nothing is heard twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.domain import interruption, pipe_names
from shared.domain.errors import MediaError
from shared.domain.playback import Piece, Playback, Sent
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCall
from shared.ports.media_codec import FrameDecoder
from shared.ports.pipes import Entry, Pipes
from shared.use_cases.speaking.sending import LOST, SENT

_UNCERTAIN_WAIT_MS = 6000
_CAUGHT_UP_MS = 1000
_LOOK_AGAIN_MS = 20
_FLUSHED_MS = 100


@dataclass(slots=True)
class Past:
    """`held`: when the line fell silent at each hold that was obeyed, by its number. `orders`: what the control pipe
    said until now. `marks_after`: where in the call's events what is new begins.
    """

    pieces: list[Piece] = field(default_factory=list)
    playback: Playback = field(default_factory=Playback)
    held: dict[int, float] = field(default_factory=dict)
    orders: list[interruption.Order] = field(default_factory=list)
    marks_after: str = "0-0"


@dataclass(frozen=True, slots=True)
class Recovery:
    pipes: Pipes
    clock: Clock
    request: TurnRequest
    live: LiveCall
    new_decoder: Callable[[], FrameDecoder]

    async def past(self) -> Past:
        """Whether the very last piece went out may be uncertain: its mark is waited for then. Where there is none,
        rather twice than never.
        """
        audio, sent, control, spoken, newest = await asyncio.gather(
            self.pipes.read(self._pipe(pipe_names.AUDIO)),
            self.pipes.read(self._pipe(pipe_names.SENT)),
            self.pipes.read(self._pipe(pipe_names.CONTROL)),
            self.pipes.read(self._pipe(pipe_names.SPOKEN)),
            self.pipes.last(pipe_names.events(self.request.call_id)),
        )
        orders = [interruption.read(entry.position, entry.fields) for entry in control]
        past = Past(_pieces(audio), orders=orders, marks_after=newest.position if newest else "0-0")
        is_certain = self._replay(past, sent, [entry for entry in spoken if _is_held(entry)])
        if not past.playback.sent:
            return past
        is_cut = any(
            not isinstance(order, interruption.Resume) and _number(order) not in past.held for order in orders
        )
        await self._restore_marks(past.playback, may_be_flushed=is_cut)
        if not is_certain and not await self._went_out(past.playback.sent[-1]):
            number = past.playback.retract().number
            await self.pipes.append(self._pipe(pipe_names.SENT), {"event": "lost"}, position=f"{number}-{LOST}")
        return past

    def _replay(self, past: Past, sent: list[Entry], held: list[Entry]) -> bool:
        """Send again on paper what was sent, with its cuts; gives whether the last piece certainly went out."""
        known = {piece.position: piece for piece in past.pieces}
        after = {entry.position for entry in sent if not entry.position.endswith("-0")}
        is_certain = True
        for entry in sent:
            number, _, step = entry.position.partition("-")
            while held and int(held[0].fields[b"sent"]) < int(number):
                is_certain = self._cut(past, held.pop(0))
            if step != "0":
                continue
            piece = _sent_piece(entry, known)
            if piece is None or f"{number}-{LOST}" in after:
                past.playback.skip(int(number))
                continue
            skipped = int(entry.fields.get(b"skipped", b"0"))
            is_marked = entry.fields[b"mark"] == b"1"
            past.playback.restore(Sent(int(number), piece, float(entry.fields[b"from_ms"]), skipped, is_marked))
            is_certain = f"{number}-{SENT}" in after
        while held:
            is_certain = self._cut(past, held.pop(0))
        return is_certain or not past.playback.sent

    def _cut(self, past: Past, entry: Entry) -> bool:
        at_ms = float(entry.fields[b"at_ms"])
        past.held[_hold_number(entry)] = at_ms
        past.playback.restore_cut(int(entry.fields[b"last"]), int(entry.fields[b"heard_bytes"]), at_ms)
        return True

    async def _restore_marks(self, playback: Playback, *, may_be_flushed: bool) -> None:
        """A mark that came long before its piece can have ended tells that the piece was thrown away."""
        until_ms = {sent.number: sent.until_ms for sent in playback.sent}
        for entry in await self.pipes.read(pipe_names.events(self.request.call_id)):
            number = mark_number(entry, self.request.turn)
            if number in until_ms and not (may_be_flushed and entry.at_ms < until_ms[number] - _FLUSHED_MS):
                playback.mark(number)

    async def _went_out(self, last: Sent) -> bool:
        """Whether the carrier has had the piece. Marks and frames of a connection come in order, so once frames from
        after its end have come in, its mark has too, or never will.
        """
        if not last.is_marked:
            return False
        began_ms = self.clock.now_ms()
        while True:
            now_ms = self.clock.now_ms()
            # The frames are looked at before the marks: a mark that comes between the two looks must count.
            stream_ms = await self._stream_ms()
            has_caught_up = self.live.started_ms + stream_ms > last.until_ms + _CAUGHT_UP_MS
            # Where frames bear no time, only the wall clock can tell.
            give_up_at_ms = (
                began_ms + _UNCERTAIN_WAIT_MS if stream_ms else max(began_ms, last.until_ms) + _CAUGHT_UP_MS
            )
            for entry in await self.pipes.read(pipe_names.events(self.request.call_id)):
                if mark_number(entry, self.request.turn) == last.number:
                    return True
            if has_caught_up or now_ms > give_up_at_ms:
                return False
            await self.clock.sleep_ms(_LOOK_AGAIN_MS)

    async def _stream_ms(self) -> int:
        """The carrier's own time of the newest frame that has come in; 0 where frames bear none."""
        newest = await self.pipes.last(pipe_names.frames(self.request.call_id))
        if newest is None or b"d" not in newest.fields:
            return 0
        try:
            return self.new_decoder().decode(newest.fields[b"d"]).at_ms
        except MediaError:
            return 0

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self.request.call_id, self.request.turn, name)


def mark_number(entry: Entry, turn: int) -> int:
    """Which of the turn's sent pieces this event of the call is the mark of; 0: of none."""
    prefix, _, number = entry.fields.get(b"name", b"").decode(errors="replace").rpartition("-")
    is_ours = entry.fields.get(b"event") == b"mark" and prefix == str(turn) and number.isascii() and number.isdigit()
    return int(number) if is_ours else 0


def _number(order: interruption.Order) -> int:
    return 0 if isinstance(order, interruption.Stop) else order.number


def _is_held(entry: Entry) -> bool:
    return entry.fields.get(b"event") == b"held"


def _hold_number(entry: Entry) -> int:
    return int(entry.position.partition("-")[0])


def _pieces(audio: list[Entry]) -> list[Piece]:
    pieces: list[Piece] = []
    for entry in audio:
        sentence, _, number = entry.position.partition("-")
        before = pieces[-1] if pieces and pieces[-1].sentence == int(sentence) else None
        begin = before.begins_bytes + len(before.pcm) if before else 0
        text = entry.fields[b"text"].decode() if b"text" in entry.fields else None
        is_last = entry.fields[b"last"] == b"1"
        pieces.append(Piece(int(sentence), int(number), entry.fields[b"pcm"], is_last, begin, text))
    return pieces


def _sent_piece(entry: Entry, known: Mapping[str, Piece]) -> Piece | None:
    """What went out; None where the piece was not kept in time, and so was never sent."""
    if pcm := entry.fields.get(b"pcm"):
        return Piece(0, int(entry.position.partition("-")[0]), pcm, last=True)
    return known.get(entry.fields[b"piece"].decode())
