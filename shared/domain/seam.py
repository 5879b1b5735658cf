"""Puts the words of two pieces of one speech together: models end every piece as if it were a sentence."""

from __future__ import annotations

import re

from shared.domain.sentences import SENTENCE_ENDS

_NO_SPACE_BEFORE = f"{SENTENCE_ENDS},;:…)]}}%»”’、，；：،؛"
_ELLIPSIS = re.compile(r"\s*(\.{2,}|…|[-–—])$")
_LEADING_ELLIPSIS = re.compile(r"^(\.{2,}|…|[-–—])\s*")
_FIRST_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
"""Thai and Lao, Chinese and Japanese with their punctuation: written without spaces between words."""

_OPENERS = (
    "a an and are as at because but by can could did do does for from had has have he her his how if in is it its"
    " just maybe me my no not of on or our please she so than that the their them then there they this to too us"
    " was we were what when where which who why will with would you your"
)
"""English words with a capital only where a sentence begins; others, and nouns of other languages, may be names."""
_NEVER_NAMES = frozenset(_OPENERS.split())


def joined(before: str, after: str) -> str:
    """`after` follows `before` in one speech.

    A full stop before a word in lower case was none; a capital after words that end no sentence is none, if the
    word cannot be a name.
    """
    before, after = before.strip(), _LEADING_ELLIPSIS.sub("", after.strip())
    if not before or not after:
        return before or after
    opened = _ELLIPSIS.sub("", before)
    goes_on = opened != before or before[-1] not in SENTENCE_ENDS
    before = opened
    if after[0].islower() and before.endswith(".") and "." not in before.split()[-1][:-1]:
        before, goes_on = before[:-1], True
    if goes_on:
        after = _without_capital(after)
    return before + _space(before, after) + after


def _space(before: str, after: str) -> str:
    if not before or after[0] in _NO_SPACE_BEFORE:
        return ""
    return "" if _UNSPACED.match(before[-1]) and _UNSPACED.match(after[0]) else " "


def _without_capital(text: str) -> str:
    first = _FIRST_WORD.match(text)
    if first is None or first[0].lower() not in _NEVER_NAMES or (first[0].isupper() and len(first[0]) > 1):
        return text
    return text[0].lower() + text[1:]
