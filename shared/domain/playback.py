"""What the caller's ear has got so far: by the carrier's marks where they came, else by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.domain.audio import BYTES_PER_MS

LEAD_MS = 500
"""How far sending runs ahead of hearing: enough to ride out a hiccup, little enough to take back."""
_PIECES_MS = (80, 200, 400)
"""The first piece of an answer is short, so that it is heard soon; the rest are long, since sends are scarce."""
_SPOKEN_MS_PER_CHARACTER = 65


def piece_bytes(pieces_before: int) -> int:
    """How much sound to put into the next piece of an answer."""
    return _PIECES_MS[min(pieces_before, len(_PIECES_MS) - 1)] * BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of one sentence's sound. Sentences and pieces count from 1. `last`: it ends its sentence."""

    sentence: int
    number: int
    pcm: bytes = field(repr=False)
    last: bool = False

    @property
    def duration_ms(self) -> float:
        return len(self.pcm) / BYTES_PER_MS

    @property
    def position(self) -> str:
        """Its place in the pipes, which is also its order."""
        return f"{self.sentence}-{self.number}"

    def mark(self, turn: int) -> str:
        return f"{turn}-{self.position}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A piece that went out: it sounds from `from_ms` to `until_ms` (Unix epoch)."""

    piece: Piece
    from_ms: float

    @property
    def until_ms(self) -> float:
        return self.from_ms + self.piece.duration_ms


class Playback:
    """Keeps the line's time: pieces sound one after the other, as the carrier's buffer plays them."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._marked: set[str] = set()
        self._finished: set[int] = set()

    @property
    def ends_at_ms(self) -> float:
        """When the caller will have heard everything that was sent."""
        return self.sent[-1].until_ms if self.sent else 0.0

    def send(self, piece: Piece, now_ms: float) -> Sent:
        """Note that the piece goes out now; it sounds when the one before it has."""
        sent = Sent(piece, max(now_ms, self.ends_at_ms))
        self.restore(sent)
        return sent

    def restore(self, sent: Sent) -> None:
        """Note a piece that went out before this step was run again."""
        self.sent.append(sent)
        if sent.piece.last:
            self.finish(sent.piece.sentence)

    def retract(self) -> None:
        """Forget the last piece: it never went out."""
        self._finished.discard(self.sent.pop().piece.sentence)

    def mark(self, position: str) -> None:
        """The carrier says that the piece at this position has been played."""
        self._marked.add(position)

    def is_marked(self, position: str) -> bool:
        return position in self._marked

    @property
    def all_marked(self) -> bool:
        return not self.sent or self.sent[-1].piece.position in self._marked

    def wait_ms(self, now_ms: float) -> float:
        """How long to wait before the next piece may go out."""
        return max(0.0, self.ends_at_ms - LEAD_MS - now_ms)

    def heard_ms(self, sentence: int, now_ms: float) -> float:
        """How much of a sentence has sounded by now."""
        return sum(
            sent.piece.duration_ms
            if sent.piece.position in self._marked
            else min(max(0.0, now_ms - sent.from_ms), sent.piece.duration_ms)
            for sent in self.sent
            if sent.piece.sentence == sentence
        )

    def finish(self, sentence: int) -> None:
        """Note that all of this sentence's sound has been sent."""
        self._finished.add(sentence)

    def heard(self, sentences: Sequence[str], now_ms: float) -> str:
        """The words that were heard: whole sentences, and of the one that was cut the words that fit its sound.

        A sentence that had no sound is passed over.
        """
        return " ".join(
            words
            for number, sentence in enumerate(sentences, start=1)
            if (words := self._words_heard(number, sentence, now_ms))
        )

    def _words_heard(self, number: int, sentence: str, now_ms: float) -> str:
        sent_ms = sum(sent.piece.duration_ms for sent in self.sent if sent.piece.sentence == number)
        if not sent_ms:
            return ""
        whole_ms = sent_ms if number in self._finished else max(sent_ms, len(sentence) * _SPOKEN_MS_PER_CHARACTER)
        words = sentence.split()
        return " ".join(words[: int(len(words) * self.heard_ms(number, now_ms) / whole_ms + 1e-6)])
