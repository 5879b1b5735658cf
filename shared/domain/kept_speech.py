"""The sound of one speech and what is known of its words, so that only what is new need be heard."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.seam import joined

PCM_PER_MULAW = 4
"""Bytes of PCM16 at 16 kHz to one of µ-law at 8 kHz."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the speech; `begin` and `end` count bytes since its beginning, `before` are the words before it."""

    begin: int
    end: int
    before: str


class KeptSpeech:
    """PCM16 mono 16 kHz as it is fed; a stretch of it that has become words can be cut off. Beside it the same as
    µ-law at 8 kHz, if all of it is fed so.
    """

    def __init__(self) -> None:
        self._pcm = bytearray()
        self._mulaw: bytearray | None = bytearray()
        self._begin = 0
        self._standing = ""
        self._words = ""
        self._covered = 0

    @property
    def begin(self) -> int:
        """Where that begins which is still to be heard."""
        return self._begin

    @property
    def end(self) -> int:
        """How much was fed, whole samples only."""
        return self._begin + (len(self._pcm) & ~1)

    @property
    def answered(self) -> str | None:
        """The words, if nothing was fed since they were learned."""
        return self._words if self._covered == self.end else None

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
        self._pcm += pcm
        if self._mulaw is not None:
            if len(pcm) == PCM_PER_MULAW * len(mulaw):
                self._mulaw += mulaw
            else:
                self._mulaw = None

    @property
    def has_mulaw(self) -> bool:
        """Whether all that was fed is there as µ-law, too."""
        return self._mulaw is not None

    def mulaw(self, begin: int, end: int) -> bytes:
        """As `sound`, of the same two positions, which count bytes of PCM; "" where there is none."""
        if self._mulaw is None:
            return b""
        return bytes(self._mulaw[(begin - self._begin) // PCM_PER_MULAW : (end - self._begin) // PCM_PER_MULAW])

    def stretch(self) -> Stretch:
        """All that is still to be heard."""
        return Stretch(self._begin, self.end, self._standing)

    @property
    def words(self) -> str:
        """The words learned last."""
        return self._words

    def sound(self, begin: int, end: int) -> bytes:
        """The PCM between two positions, none of them before `begin`."""
        return bytes(self._pcm[begin - self._begin : end - self._begin])

    def learn(self, stretch: Stretch, text: str) -> str:
        """The words of a stretch; gives all words up to its end."""
        words = joined(stretch.before, text)
        if stretch.end >= self._covered:
            self._words, self._covered = words, stretch.end
        return words

    def cut(self) -> None:
        """The words learned last stand, and their sound is no longer kept."""
        if self._covered > self._begin:
            gone = self._covered - self._begin
            del self._pcm[:gone]
            if self._mulaw is not None:
                del self._mulaw[: gone // PCM_PER_MULAW]
            self._begin, self._standing = self._covered, self._words
