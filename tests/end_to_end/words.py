"""How far two texts are apart, in words."""

from __future__ import annotations

import re


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def edits(reference: str, heard: str) -> int:
    """Words to insert, delete or replace to get from one text to the other."""
    expected, got = words(reference), words(heard)
    row = list(range(len(got) + 1))
    for i, word in enumerate(expected, start=1):
        previous, row = row, [i]
        for j, other in enumerate(got, start=1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (word != other)))
    return row[-1]


def word_error_rate(reference: str, heard: str) -> float:
    """Edits by the words of the reference."""
    return edits(reference, heard) / max(1, len(words(reference)))
