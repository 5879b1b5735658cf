"""One of several things that a caller may choose, by its name, by something like it, or by its place."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from shared.domain.slots.numerals import Token, plain, tokens
from shared.domain.slots.reading import Context, Reading, Why, none, one, one_of

_LIKE, _CLEARLY = 0.8, 0.08
_NONE_OF_IT = re.compile(
    r"\b(?:none|neither|nothing|no one)\b|(?:कोई (?:भी )?नहीं)|\bkoi (?:bhi )?nahin?\b", re.IGNORECASE
)
_LAST = re.compile(r"\blast (?:one|option)?\b|आखिरी|आख़िरी|\baakhri\b", re.IGNORECASE)
_OPTION = re.compile(r"\b(?:option|number|choice|नंबर|विकल्प) (\d{1,2})\b")
_PLACE = re.compile(r"(?<!\d)(\d{1,2})th\b")
_LONGEST_CHARACTERS = 300


def read_choice(said: str, context: Context) -> Reading:
    """Of `context.choices`, as it is declared."""
    said = said[:_LONGEST_CHARACTERS]
    found = tokens(said, context.language)
    words = [token.text for token in found]
    by_name = _named(words, context)
    if by_name:
        return one_of(by_name)
    if _NONE_OF_IT.search(said):
        return none(Why.DECLINED)
    if (place := _place(plain(found), said, found)) is not None:
        choices = context.choices
        return one(choices[place]) if -1 <= place < len(choices) else none(Why.IMPOSSIBLE)
    likeness = sorted(((_likeness(words, choice, context), choice) for choice in context.choices), reverse=True)
    near = [choice for like, choice in likeness if like >= _LIKE and like >= likeness[0][0] - _CLEARLY]
    return one_of(near)


def _named(words: list[str], context: Context) -> list[str]:
    """Those that are named, less those within the name of another: "extra large" is not "large"."""
    spans: list[tuple[int, int, str]] = []
    for choice in context.choices:
        name = _words_of(choice, context)
        for begin in range(len(words) - len(name) + 1):
            if name and words[begin : begin + len(name)] == name:
                spans.append((begin, begin + len(name), choice))
    return [
        choice
        for begin, end, choice in spans
        if not any(b <= begin and end <= e and e - b > end - begin for b, e, _ in spans)
    ]


def _place(words: str, said: str, found: list[Token]) -> int | None:
    """Counted from 0; -1 is the last."""
    if _LAST.search(said):
        return -1
    match = _OPTION.search(words) or _PLACE.search(words)
    if match is None:
        numbers = [token for token in found if token.number is not None]
        if len(found) != 1 or not numbers:
            return None
        return int(numbers[0].digits.partition(".")[0]) - 1
    return int(match[1]) - 1


def _words_of(choice: str, context: Context) -> list[str]:
    return [token.text for token in tokens(choice, context.language)]


def _likeness(words: list[str], choice: str, context: Context) -> float:
    name = _words_of(choice, context)
    size = max(1, len(name))
    wanted = "".join(name)
    windows = ["".join(words[begin : begin + size]) for begin in range(max(1, len(words) - size + 1))]
    return max((SequenceMatcher(None, window, wanted).ratio() for window in windows), default=0.0)
