"""Words as they are compared: a caller's with an example's, a model's with the caller's."""

from __future__ import annotations

import unicodedata

_POLITE = frozenset(
    [
        "please",
        "hi",
        "hello",
        "hey",
        "thanks",
        "thank",
        "you",
        "um",
        "uh",
        "er",
        "so",
        "well",
        "ok",
        "okay",
        "oh",
        "the",
        "a",
        "an",
        "ji",
        "namaste",
        "kripya",
        "जी",
        "नमस्ते",
        "कृपया",
    ]
)
_DENYING = frozenset(
    [
        "no",
        "not",
        "don't",
        "dont",
        "never",
        "nahi",
        "nahin",
        "nai",
        "mat",
        "won't",
        "can't",
        "cannot",
        "isn't",
        "नहीं",
        "नही",
        "मत",
        "न",
    ]
)


def tokens(text: str) -> list[str]:
    """Lower case, one spelling of each letter, letters and digits only."""
    text = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    kept = "".join(each if each == "'" or unicodedata.category(each)[0] in "LMN" else " " for each in text)
    return [word for word in (each.strip("'") for each in kept.split()) if word]


def meant(text: str) -> list[str]:
    """The words without those of politeness."""
    return [word for word in tokens(text) if word not in _POLITE]


def denies(words: list[str]) -> bool:
    return any(word in _DENYING for word in words)


def place_of(part: list[str], whole: list[str]) -> int:
    """Where one row of words stands within another; -1: nowhere."""
    if not part:
        return -1
    return next((i for i in range(len(whole) - len(part) + 1) if whole[i : i + len(part)] == part), -1)
