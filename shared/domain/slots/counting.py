"""In which language a text counts, and the words that it counts with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from shared.domain.slots.indian_numbers import LANGUAGES, number_words
from shared.domain.slots.number_words import cardinals, fractions, multipliers, ordinals, telling_words
from shared.domain.spoken.scripts import language_of_script, script_shares

_LATIN_WORDS = re.compile("[a-z]{1,40}")
_ENGLISH, _HINDI = "en", "hi"


@dataclass(frozen=True, slots=True)
class Counting:
    """Folded words. `cardinals`: each with its number; `adding`: what is added to the number behind them; `whole`:
    numbers with a half; `multipliers`: hundred, lakh; `fused`: a number and a multiplier in one word, as two.
    """

    cardinals: Mapping[str, int]
    ordinals: Mapping[str, int]
    multipliers: Mapping[str, int]
    adding: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    fused: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def counts_in(text: str, language: str) -> str:
    """Of the languages that are read here, the one of the text's letters, else that of the tag, else Hindi where some
    of its words are: callers of India count in it in mid-English. English words count in all of them.
    """
    if found := next(
        (found for script in script_shares(text) if (found := language_of_script(script, language))), ""
    ):
        return found
    tagged = language.replace("_", "-").partition("-")[0].lower()
    if tagged == _HINDI or tagged in LANGUAGES:
        return tagged
    return _HINDI if _is_telling(text) else _ENGLISH


@lru_cache(maxsize=16)
def counting(language: str) -> Counting:
    """The words of one of the languages that `counts_in` gives."""
    if language not in LANGUAGES:
        with_hindi = language == _HINDI
        adding, whole = fractions() if with_hindi else ({}, {})
        return Counting(
            cardinals(with_hindi=with_hindi), ordinals(with_hindi=with_hindi), multipliers(), adding, whole
        )
    words = number_words(language)
    return Counting(
        cardinals(with_hindi=False) | words.cardinals,
        ordinals(with_hindi=False),
        multipliers() | words.multipliers,
        fused=words.fused,
    )


def _is_telling(text: str) -> bool:
    return any(word in telling_words() for word in _LATIN_WORDS.findall(text.lower()))
