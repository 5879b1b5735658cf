"""One turn of the caller on a line that carries text: out of what comes in, the words and when they were said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from shared.domain.transcript import with_keys
from shared.domain.words import BrokeIn, KeyPressed, LineEnded, Said, Started, Stirred, WordsEvent, key_of, read
from shared.ports.pipes import Entry

_KEYS_PAUSE_MS = 2000
"""After which keys that were pressed are all that will come; `#` ends them at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the words pipe a turn begins: `after` this entry, whose key was `key`. `started_ms`: when the line
    came (0: not yet); `stirred_ms`: when the caller was last known to be there, both Unix epoch.
    """

    after: str = "0-0"
    key: str = ""
    started_ms: float = 0.0
    stirred_ms: float = 0.0

    def to_fields(self) -> dict[str, str]:
        numbers = {"started_ms": repr(self.started_ms), "stirred_ms": repr(self.stirred_ms)}
        return {"after": self.after, "key": self.key, **numbers}

    @classmethod
    def of_fields(cls, entry: Entry) -> Self | None:
        """None where the call ends instead."""
        fields = entry.fields
        if b"after" not in fields:
            return None
        started_ms, stirred_ms = float(fields[b"started_ms"]), float(fields[b"stirred_ms"])
        return cls(fields[b"after"].decode(), fields[b"key"].decode(), started_ms, stirred_ms)


class Attending:
    """Feed it the entries of the words pipe after `place`, which moves on with them. `words`: what the caller said,
    once the turn is over, at `words_at_ms`; `language`: in which, as the line tells it.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.words: str | None = None
        self.words_at_ms = 0.0
        self.language = ""
        self._keys = ""
        self._pressed_ms = 0.0

    def take(self, entry: Entry) -> WordsEvent | None:
        """What the entry says; None where that was said before, or comes after the turn's end."""
        event = read(entry.fields, at_ms=entry.at_ms)
        self.look(event.at_ms)  # keys may have been all, though nobody was there to see it
        if self.words is not None:
            return None
        key, known = key_of(entry.fields), self.place.key
        self.place = replace(self.place, after=entry.position, key=key or known)
        if key and key == known:
            return None
        match event:
            case Started(at_ms):
                self.place = replace(self.place, started_ms=self.place.started_ms or at_ms)
            case Said(at_ms, text, language):
                if text.strip():
                    self.language = language
                    self._end(text.strip(), at_ms)
            case KeyPressed(at_ms, digit):
                self._keys, self._pressed_ms = self._keys + digit, at_ms
                if digit == "#":
                    self._end("", at_ms)
            case BrokeIn() | Stirred() | LineEnded():
                pass
        if not isinstance(event, LineEnded):
            self.place = replace(self.place, stirred_ms=max(self.place.stirred_ms, event.at_ms))
        return event

    def look(self, now_ms: float) -> None:
        """It is now so late, and nothing more has come."""
        if self.words is None and self._keys and now_ms >= self._pressed_ms + _KEYS_PAUSE_MS:
            self._end("", self._pressed_ms)

    def _end(self, text: str, at_ms: float) -> None:
        self.words, self.words_at_ms = with_keys(text, self._keys), at_ms
