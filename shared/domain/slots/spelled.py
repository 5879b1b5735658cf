"""Names and codes that are spelled: letters and digits one after another, however each is said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from shared.domain.slots.letter_names import doubtful_names, letter_names
from shared.domain.slots.number_words import REPEATS
from shared.domain.slots.numerals import Token, tokens
from shared.domain.slots.reading import Context, Reading, Why, none, one

_MARKS = {"dash": "-", "hyphen": "-", "minus": "-", "slash": "/", "डैश": "-"}
_SILENT = frozenset((",", ".", "-", ";", "and", "then", "capital", "letter", "um", "uh", "phir", "फिर", "और"))
_AS_IN = (("as", "in"), ("for",), ("like",), ("as",), ("से",), ("se",), ("फॉर",))
_IN_HINDI = re.compile("[\u0900-\u097f]")
_MOST_WRITTEN_LETTERS = 3


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one token spells; "" nothing, and `is_pause`: without ending what is spelled."""

    text: str
    is_sure: bool = False
    is_pause: bool = False


def read_spelled(said: str, context: Context) -> Reading:
    """Capital letters, digits and dashes; the longest row of them."""
    row = longest_row(said, context.language)
    return one(row) if row else none(Why.NOTHING)


def longest_row(said: str, language: str) -> str:
    signs = _signs(_rejoined(tokens(said, language)))
    rows = []
    for is_row, group in groupby(signs, key=lambda sign: bool(sign.text) or sign.is_pause):
        row = list(group)
        if is_row and any(sign.is_sure for sign in row):
            rows.append("".join(sign.text for sign in row).strip("-/"))
    return max(rows, key=len, default="")


def _rejoined(found: list[Token]) -> list[Token]:
    """ "Double you" and "x-ray" are one letter each."""
    joined: list[Token] = []
    for token in found:
        pair = f"{joined[-1].text}{token.text}" if joined else ""
        if pair in ("doubleyou", "doubleu", "डबलयू", "डबलयु"):
            joined[-1] = Token("w", "W")
        elif token.text == "ray" and [before.text for before in joined[-2:]] == ["x", "-"]:
            joined.pop()
        elif pair == "xray":
            continue
        else:
            joined.append(token)
    return joined


def _signs(found: list[Token]) -> list[_Sign]:
    signs: list[_Sign] = []
    index = 0
    while index < len(found):
        skipped = _as_in(found, index) if signs and signs[-1].text else 0
        if skipped:
            word = found[index + skipped - 1].text
            signs[-1] = _Sign(word[0].upper() if word.isascii() else signs[-1].text, is_sure=True)
            index += skipped
            continue
        times = REPEATS.get(found[index].text)
        if times and index + 1 < len(found) and len(sign := _sign(found[index + 1]).text) == 1:
            signs.append(_Sign(sign * times, is_sure=True))
            index += 2
            continue
        signs.append(_sign(found[index]))
        index += 1
    return signs


def _as_in(found: list[Token], index: int) -> int:
    """How many tokens "as in Mary" takes from here; the word tells the letter better than its name does."""
    for words in _AS_IN:
        after = index + len(words)
        if tuple(token.text for token in found[index:after]) == words and after < len(found):
            word = found[after].text
            if len(word) > 1 and (word.isalpha() if word.isascii() else _IN_HINDI.match(word)):
                return len(words) + 1
    return 0


def _sign(token: Token) -> _Sign:
    if token.number is not None and not token.is_ordinal:
        return _Sign(token.digits.replace(".", ""), is_sure=True)
    if token.text in _MARKS:
        return _Sign(_MARKS[token.text])
    if letter := letter_names().get(token.text):
        is_capital = token.written == letter and letter not in "AI"
        return _Sign(letter, is_sure=is_capital or token.text not in doubtful_names())
    if token.text in _SILENT:
        return _Sign("", is_pause=True)
    written = token.written
    is_code = written.isascii() and written.isalpha() and written.isupper() and len(written) <= _MOST_WRITTEN_LETTERS
    return _Sign(written, is_sure=True) if is_code else _Sign("")
