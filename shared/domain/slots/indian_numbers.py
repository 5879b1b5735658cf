"""The words of numbers in languages of India besides Hindi, taken out of what the spoken forms say of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from shared.domain.slots.number_words import folded
from shared.domain.spoken.numbers import cardinal
from shared.domain.spoken.tongues import TONGUES

LANGUAGES = frozenset(TONGUES) - {"en", "hi"}
_SCALES = (1_000, 100_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class NumberWords:
    """Folded words. `fused`: those that are a number and a scale in one, as the two."""

    cardinals: dict[str, int] = field(default_factory=dict)
    multipliers: dict[str, int] = field(default_factory=dict)
    fused: dict[str, tuple[str, str]] = field(default_factory=dict)


@lru_cache(maxsize=len(LANGUAGES))
def number_words(language: str) -> NumberWords:
    """Of one of LANGUAGES."""
    found = NumberWords()
    for number in range(1_000):
        _note_below_thousand(found, number, _said(number, language))
    for scale in _SCALES:
        plain = _said(scale, language)[-1]
        found.multipliers[plain] = scale
        for count in range(1, 100):
            for words in (_said(count * scale, language), _said(count * scale + 1, language)[:-1]):
                _note_scale(found, words, _said(count, language), (plain, scale))
    return found


def _said(number: int, language: str) -> list[str]:
    return [folded(word) for word in cardinal(number, language).split()]


def _note_below_thousand(found: NumberWords, number: int, words: list[str]) -> None:
    unit, rest = number % 10, number % 100
    if len(words) == 1:
        found.cardinals.setdefault(words[0], number)
    elif number < 100:
        found.cardinals.setdefault(words[0], number - unit)
        found.cardinals.setdefault(words[1], unit)
    elif rest <= 1:
        head = words[:-1] if rest else words
        if len(head) == 1:
            found.cardinals.setdefault(head[0], number - rest)
        else:
            found.multipliers.setdefault(head[-1], 100)
    elif unit and len(words) == 2 and found.cardinals.get(words[1]) == unit:
        found.cardinals.setdefault(words[0], number - unit)


def _note_scale(found: NumberWords, words: list[str], count: list[str], plain: tuple[str, int]) -> None:
    name, scale = plain
    if len(words) > len(count):
        found.multipliers.setdefault(words[-1], scale)
        found.cardinals.setdefault(words[0], 1)
        return
    last = words[-1]
    is_known = last in found.multipliers or last in found.cardinals
    if not is_known and words[:-1] == count[:-1] and len(words) == len(count):
        found.fused[last] = (count[-1], name)
