"""How like a passage is to a question: by their vectors, and by the words that both have."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:[\u0900-\u0dff\u200d]+[^\W_]*)*")
"""Marks of Indian scripts are parts of words, and no letters to `\\w`."""
_SHORTEST = 3
_WORDS_COUNT_FOR = 0.25
"""Of what the vectors leave open: names and numbers decide between passages of one matter."""


def words_of(text: str) -> set[str]:
    """Those that can tell passages apart."""
    return {word for word in _WORD.findall(text.casefold()) if len(word) >= _SHORTEST or word.isdigit()}


def likeness(cosine: float) -> float:
    """From 0 to 1, whatever rounding made of a cosine; what points away is not like it at all."""
    return min(1.0, max(0.0, cosine))


def with_words(score: float, share: float) -> float:
    """The score, when this share of the question's words stands in the passage."""
    return likeness(score + (1 - likeness(score)) * share * _WORDS_COUNT_FOR)
