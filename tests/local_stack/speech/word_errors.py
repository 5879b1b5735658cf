"""Word error rate, with the normalisation that makes spelling no error."""

from __future__ import annotations

import re

_SAME = {"i'm": "i am", "you're": "you are", "we're": "we are", "that's": "that is", "mr": "mister"}


def words(text: str) -> list[str]:
    """Lower-case words without punctuation, contractions written out."""
    plain = re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("’", "'"))
    return " ".join(_SAME.get(word, word) for word in plain.split()).split()


def distance(wanted: list[str], got: list[str]) -> int:
    """Insertions, deletions and substitutions between two lists of words."""
    row = list(range(len(got) + 1))
    for index, word in enumerate(wanted, start=1):
        before, row = row, [index]
        for column, other in enumerate(got, start=1):
            row.append(min(before[column - 1] + (word != other), before[column] + 1, row[-1] + 1))
    return row[-1]


def word_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Errors per wanted word over all (wanted, got) pairs."""
    errors = sum(distance(words(wanted), words(got)) for wanted, got in pairs)
    return errors / sum(len(words(wanted)) for wanted, _ in pairs)
