"""What the caller's ear has got so far: by the carrier's marks where they came, else by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from shared.domain.audio import BYTES_PER_MS, samples_of

LEAD_MS = 500
"""How far sending runs ahead of hearing: enough to ride out a hiccup, little enough to take back."""
MARK_EVERY_MS = 800
"""Marks are asked for at least this often; what is heard between two of them, the clock says."""
BACK_UP_MS = 100
"""How far before a cut the answer may go on again, if there is a quieter place than the cut itself."""
_PIECES_MS = (80, 200, 400)
"""The first piece of an answer is short, so that it is heard soon; the rest are long, since sends are scarce."""
_SPOKEN_MS_PER_CHARACTER = 65
_JOIN_MS = 5
_FRAME_BYTES = 10 * BYTES_PER_MS


def piece_bytes(pieces_before: int) -> int:
    """How much sound to put into the next piece of an answer."""
    return _PIECES_MS[min(pieces_before, len(_PIECES_MS) - 1)] * BYTES_PER_MS


def good_place(pcm: bytes, cut_bytes: int) -> int:
    """Where to go on with a sound that was cut: the quietest place shortly before the cut, or the cut itself."""
    starts = range(cut_bytes, max(-1, cut_bytes - BACK_UP_MS * BYTES_PER_MS - 1), -_FRAME_BYTES)
    frames = [pcm[start : start + _FRAME_BYTES] for start in starts]
    loudness = [float(np.abs(samples_of(frame).astype(np.int32)).mean()) if frame else np.inf for frame in frames]
    return starts[int(np.argmin(loudness))] if loudness else cut_bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of one sentence's sound, `begins_bytes` into it. Sentences and pieces count from 1; sentence 0 is what
    belongs to no sentence. `last`: it ends its sentence. `text`: the sentence, where nobody else knows it.
    """

    sentence: int
    number: int
    pcm: bytes = field(repr=False)
    last: bool = False
    begins_bytes: int = 0
    text: str | None = None

    @property
    def ends_ms(self) -> float:
        """How far into its sentence it reaches."""
        return (self.begins_bytes + len(self.pcm)) / BYTES_PER_MS

    @property
    def position(self) -> str:
        """Its place among the answer's pieces, which is also its order."""
        return f"{self.sentence}-{self.number}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A piece, or its rest from `skipped_bytes` on, that went out as the `number`th; it sounds from `from_ms` (Unix
    epoch). `is_marked`: the carrier tells when it has been played. `heard_bytes`: what sounded of one that was cut.
    """

    number: int
    piece: Piece
    from_ms: float
    skipped_bytes: int = 0
    is_marked: bool = True
    heard_bytes: int | None = None

    @property
    def size_bytes(self) -> int:
        return len(self.piece.pcm) - self.skipped_bytes

    @property
    def pcm(self) -> bytes:
        return self.piece.pcm[self.skipped_bytes :]

    @property
    def duration_ms(self) -> float:
        return self.size_bytes / BYTES_PER_MS

    @property
    def until_ms(self) -> float:
        return self.from_ms + self.duration_ms


class Playback:
    """Keeps the line's time: pieces sound one after the other, as the carrier's buffer plays them.

    `sent` holds what went out and was not thrown away unheard.
    """

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.newest = 0
        self._cut_up_to = 0
        self._marked_up_to = 0
        self._free_at_ms = 0.0

    @property
    def ends_at_ms(self) -> float:
        """When the caller will have heard everything that was sent; 0 before anything was."""
        return self._free_at_ms

    @property
    def has_answered(self) -> bool:
        """Whether any of the answer itself has been heard, or is about to be."""
        return any(sent.piece.sentence for sent in self.sent)

    @property
    def last_of_answer(self) -> Sent | None:
        """The newest that belongs to a sentence."""
        return next((sent for sent in reversed(self.sent) if sent.piece.sentence), None)

    def send(self, piece: Piece, now_ms: float, skipped_bytes: int = 0) -> Sent:
        """Note that the piece goes out now; it sounds when the one before it has."""
        sent = Sent(self.newest + 1, piece, max(now_ms, self._free_at_ms), skipped_bytes)
        sent = replace(sent, is_marked=piece.last or self._unmarked_ms(sent) >= MARK_EVERY_MS)
        self.restore(sent)
        return sent

    def _unmarked_ms(self, sent: Sent) -> float:
        """How long it sounds since the mark before, this one included; the first one always wants a mark."""
        unmarked_ms = sent.duration_ms
        for before in reversed(self.sent):
            if before.is_marked or before.number <= self._cut_up_to:
                return unmarked_ms if before.number > self._cut_up_to else MARK_EVERY_MS
            unmarked_ms += before.duration_ms
        return MARK_EVERY_MS

    def restore(self, sent: Sent) -> None:
        """Note a piece that went out before this step was run again."""
        self.sent.append(sent)
        self.skip(sent.number)
        self._free_at_ms = sent.until_ms

    def retract(self) -> Sent:
        """Forget the last piece: it never went out."""
        sent = self.sent.pop()
        self._free_at_ms = sent.from_ms
        return sent

    def skip(self, number: int) -> None:
        """This number was given to something that never went out."""
        self.newest = max(self.newest, number)

    def mark(self, number: int) -> None:
        """The carrier says that everything up to this number has been played. After a cut it says so of what was
        thrown away, too: that means nothing.
        """
        if self._cut_up_to < number <= self.newest:
            self._marked_up_to = max(self._marked_up_to, number)

    @property
    def all_marked(self) -> bool:
        return not self.sent or self.sent[-1].number <= max(self._marked_up_to, self._cut_up_to)

    def wait_ms(self, now_ms: float) -> float:
        """How long to wait before the next piece may go out."""
        return max(0.0, self._free_at_ms - LEAD_MS - now_ms)

    def cut(self, at_ms: float) -> None:
        """Everything that has not sounded by then is thrown away; what goes out next is a new leg."""
        heard = [replace(sent, heard_bytes=self._heard_bytes(sent, at_ms)) for sent in self.sent]
        self.sent = [sent for sent in heard if sent.heard_bytes]
        self._cut_up_to = self.newest
        self._free_at_ms = min(self._free_at_ms, at_ms)

    def restore_cut(self, number: int, heard_bytes: int, at_ms: float) -> None:
        """Note a cut of before: of the `number`th so much was heard, of later ones nothing."""
        kept = [sent for sent in self.sent if sent.number <= number]
        self.sent = [
            sent
            if sent.heard_bytes is not None
            else replace(sent, heard_bytes=heard_bytes if sent.number == number else sent.size_bytes)
            for sent in kept
        ]
        self._cut_up_to = self.newest
        self._free_at_ms = min(self._free_at_ms, at_ms)

    def _heard_bytes(self, sent: Sent, now_ms: float) -> int:
        if sent.heard_bytes is not None:
            return sent.heard_bytes
        if self._cut_up_to < sent.number <= self._marked_up_to:
            return sent.size_bytes
        return min(max(0, int((now_ms - sent.from_ms) * BYTES_PER_MS)) & ~1, sent.size_bytes)

    def heard_ms(self, sentence: int, now_ms: float) -> float:
        """How far into a sentence the caller has got by now."""
        reached = (
            sent.piece.begins_bytes + sent.skipped_bytes + heard
            for sent in self.sent
            if sent.piece.sentence == sentence and (heard := self._heard_bytes(sent, now_ms))
        )
        return max(reached, default=0) / BYTES_PER_MS

    def heard(self, sentences: Mapping[int, str], whole_ms: Mapping[int, float], now_ms: float) -> str:
        """The words that were heard: whole sentences, and of the one that was cut the words that fit its sound.

        `whole_ms`: how long each sentence sounds, of those that are made. One that had no sound is passed over.
        """
        words = (self._words_heard(n, sentences[n], whole_ms.get(n), now_ms) for n in sorted(sentences))
        return " ".join(filter(None, words))

    def _words_heard(self, number: int, sentence: str, whole_ms: float | None, now_ms: float) -> str:
        heard_ms = self.heard_ms(number, now_ms)
        if not heard_ms:
            return ""
        if whole_ms is None:
            sent_ms = max(sent.piece.ends_ms for sent in self.sent if sent.piece.sentence == number)
            whole_ms = max(sent_ms, len(sentence) * _SPOKEN_MS_PER_CHARACTER)
        words = sentence.split()
        return " ".join(words[: int(len(words) * min(1.0, heard_ms / whole_ms) + 1e-6)])

    def runs(self, now_ms: float) -> list[tuple[float, bytes]]:
        """What sounded, as (from when on the wall clock, PCM16 16 kHz), joined where there was no gap."""
        joined: list[tuple[float, bytearray]] = []
        for sent in self.sent:
            pcm = sent.pcm[: self._heard_bytes(sent, now_ms)]
            if joined and abs(joined[-1][0] + len(joined[-1][1]) / BYTES_PER_MS - sent.from_ms) < _JOIN_MS:
                joined[-1][1].extend(pcm)
            elif pcm:
                joined.append((sent.from_ms, bytearray(pcm)))
        return [(from_ms, bytes(pcm)) for from_ms, pcm in joined]
