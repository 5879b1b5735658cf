"""Finds where a text that goes on from another one begins with what that one has said already."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from shared.domain.sentences import SENTENCE_ENDS

_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_UNITS = re.compile(f"[{_WIDE}]|[^\\s{_WIDE}]+")
"""A word, or a sign of a script that does not set words apart."""
_ENDS = f"{SENTENCE_ENDS}…"
_BY_CHANCE = 2
"""So many words, or signs, in a row a text may have in common with another one by chance."""


class Kind(Enum):
    UNKNOWN = auto()
    """It may still become a repetition."""
    NONE = auto()
    """It goes on."""
    REPEATED = auto()
    """It says the end again, and then goes on."""
    REPHRASED = auto()
    """It begins again, and then says something else."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`fresh_from`: where in the text begins what has not been said."""

    kind: Kind
    fresh_from: int = 0


@dataclass(frozen=True, slots=True)
class _Unit:
    key: str
    start: int
    end: int
    is_open: bool = False
    """More of it may come."""


class Repetition:
    """Compares what comes with what was `said`: word by word, whatever the case and the marks."""

    def __init__(self, said: str) -> None:
        self.has_ended = said.rstrip()[-1:] in tuple(_ENDS)
        """Whether a sentence ends where it broke off."""
        self._is_marked = not said.rstrip()[-1:].isalnum()
        self._is_torn = said[-1:].isalnum()
        self._said = _units(said, may_grow=False)
        self._starts = [
            number
            for number, unit in enumerate(self._said)
            if not number or any(sign in _ENDS for sign in said[self._said[number - 1].start : unit.start])
        ]

    def find(self, text: str, *, is_whole: bool) -> Finding:
        """What the text is that has come. `is_whole`: no more of it will come."""
        fresh = _units(text, may_grow=not is_whole)
        if not fresh:
            return Finding(Kind.NONE if is_whole else Kind.UNKNOWN)
        found: Finding | None = None
        for start in range(len(self._said)):
            overlap = self._overlap(fresh, text, start)
            if overlap is not None and overlap.kind is Kind.UNKNOWN and not is_whole:
                return overlap
            if overlap is not None and overlap.kind is Kind.REPEATED:
                found = found or overlap
        return found or self._rephrased(fresh, text, is_whole=is_whole)

    def _overlap(self, fresh: Sequence[_Unit], text: str, start: int) -> Finding | None:
        """Whether the text begins as `said` does from this word on."""
        left = self._said[start:]
        for number, (known, new) in enumerate(zip(left, fresh, strict=False), start=1):
            if new.is_open and known.key.startswith(new.key):
                return Finding(Kind.UNKNOWN)
            if known.key != new.key:
                return self._torn(known, new, text, start) if number == len(left) else None
        if len(fresh) < len(left):
            return Finding(Kind.UNKNOWN)
        last = fresh[len(left) - 1]
        end = last.end if self._is_marked else _word_end(text, last)
        return Finding(Kind.REPEATED, end) if self._counts(left) else None

    def _counts(self, left: Sequence[_Unit]) -> bool:
        """A word, or a digit, may stand twice because it is meant so."""
        if len(left) == len(self._said) or len(left) > _BY_CHANCE:
            return True
        is_plain = not any(sign.isdigit() or is_wide(sign) for unit in left for sign in unit.key)
        return len(left) == _BY_CHANCE and is_plain

    def _torn(self, known: _Unit, new: _Unit, text: str, start: int) -> Finding | None:
        """The last word that was said may be the beginning of one that comes whole now."""
        is_certain = len(self._said) - start > _BY_CHANCE or (start == 0 and len(self._said) > 1)
        if not (self._is_torn and is_certain and new.key.startswith(known.key)):
            return None
        ends = (end for end in range(new.start + 1, new.end) if _key(text[new.start : end]) == known.key)
        return Finding(Kind.REPEATED, next(ends, new.end))

    def _rephrased(self, fresh: Sequence[_Unit], text: str, *, is_whole: bool) -> Finding:
        """Where it begins as a sentence does that was said, the sentences that stand there whole are left out, and
        the beginning of the one that broke off, if it breaks with that one near its end.
        """
        keys = [unit.key for unit in fresh]
        runs = [(_common([unit.key for unit in self._said[start:]], keys), -start) for start in self._starts]
        most, at = max(runs, default=(0, 0))
        if most < _BY_CHANCE:
            return Finding(Kind.NONE)
        if is_whole and most == len(fresh) and most > _BY_CHANCE:
            return Finding(Kind.REPEATED, len(text))
        is_near = len(self._said) + at - most <= _BY_CHANCE
        of_last = most - (self._starts[-1] + at)
        if not self.has_ended and is_near and of_last > _BY_CHANCE and most < len(fresh):
            return Finding(Kind.REPHRASED, fresh[most].start)
        whole = max((start + at for start in self._starts if start + at <= most), default=0)
        return Finding(Kind.REPHRASED, fresh[whole].start if 0 < whole < len(fresh) else 0)


def is_wide(sign: str) -> bool:
    """Whether no space is written beside this sign."""
    return re.match(f"[{_WIDE}]", sign) is not None


def _units(text: str, *, may_grow: bool) -> list[_Unit]:
    found = []
    for match in _UNITS.finditer(text):
        is_open = may_grow and match.end() == len(text) and not is_wide(match.group())
        key = _key(match.group())
        if key or is_open:
            found.append(_Unit(key, match.start(), match.end(), is_open))
    return found


def _key(word: str) -> str:
    return "".join(sign for sign in word.casefold() if unicodedata.category(sign)[0] not in "PSC")


def _word_end(text: str, unit: _Unit) -> int:
    """Without the marks that follow it."""
    end = unit.end
    while end > unit.start and not _key(text[end - 1]):
        end -= 1
    return end


def _common(said: Sequence[str], fresh: Sequence[str]) -> int:
    pairs = zip(said, fresh, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(said), len(fresh)))
