"""Digits and letters as they stand in what was heard: `4141`, `four one`, `double four`, `A B C`, `चार एक`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORDS = {
    word: digits
    for digits, words in {
        "0": "zero oh o nought nil shunya sunya शून्य ज़ीरो जीरो",
        "1": "one ek एक वन",
        "2": "two do दो टू",
        "3": "three teen तीन थ्री",
        "4": "four char chaar चार फोर",
        "5": "five paanch panch पाँच पांच फाइव",
        "6": "six chhe chhah cheh छह छः छे सिक्स",
        "7": "seven saat सात सेवन",
        "8": "eight aath आठ एट",
        "9": "nine nau नौ नाइन",
        "10": "ten das दस",
        "11": "eleven",
        "12": "twelve",
        "13": "thirteen",
        "14": "fourteen",
        "15": "fifteen",
        "16": "sixteen",
        "17": "seventeen",
        "18": "eighteen",
        "19": "nineteen",
        "20": "twenty",
        "30": "thirty",
        "40": "forty fourty",
        "50": "fifty",
        "60": "sixty",
        "70": "seventy",
        "80": "eighty",
        "90": "ninety",
    }.items()
    for word in words.split()
}
_TIMES = {"double": 2, "triple": 3, "treble": 3, "डबल": 2, "ट्रिपल": 3}
_PAUSES = "um uh er erm ah hmm and then dash hyphen space comma aur और"
_BETWEEN = frozenset(_PAUSES.split())
_TOKEN = re.compile(r"[^\W\d_]+[\u0900-\u0903\u093a-\u094f]*(?:[^\W\d_]|[\u0900-\u0903\u093a-\u094f])*|\d+")
_GAP = re.compile(r"[\s\-‐‑–.,()/_:;'…]{0,4}")


@dataclass(frozen=True, slots=True)
class Run:
    """What stands in `text[start:end]`, as one word: `value`, in capitals. `pieces`: of how many it is made."""

    start: int
    end: int
    value: str
    pieces: int
    letters: int

    @property
    def is_digits(self) -> bool:
        return self.value.isdigit()


@dataclass(slots=True)
class _Growing:
    start: int
    end: int
    reach: int
    """Where the last word stands that belongs to it, if only as a pause."""
    parts: list[str]
    letters: int = 0
    times: int = 1


def digits_of(token: str) -> str:
    """Of figures in any script, or of a number's word; "" where it is neither."""
    if token.isdecimal():
        return "".join(str(int(figure)) for figure in token)
    return _WORDS.get(token.lower(), "")


def runs(text: str) -> Iterator[Run]:
    """All that is spelled or dictated in it, in order: what stands together with nothing but pauses between."""
    growing: _Growing | None = None
    for match in _TOKEN.finditer(text):
        token = match.group()
        digits = digits_of(token)
        is_letter = not digits and len(token) == 1 and token.isascii()
        is_times = token.lower() in _TIMES
        if growing is not None and not _GAP.fullmatch(text, growing.reach, match.start()):
            yield from _whole(growing)
            growing = None
        if not digits and not is_letter and not is_times:
            if growing is not None and token.lower() in _BETWEEN:
                growing.reach = match.end()
                continue
            if growing is not None:
                yield from _whole(growing)
                growing = None
            continue
        growing = growing or _Growing(match.start(), match.end(), match.end(), [])
        growing.end = growing.reach = match.end()
        if is_times:
            growing.times = _TIMES[token.lower()]
            continue
        _append(growing, digits or token.upper(), is_letter=is_letter, is_word=not token.isdecimal())
    if growing is not None:
        yield from _whole(growing)


def _append(growing: _Growing, value: str, *, is_letter: bool, is_word: bool) -> None:
    parts = growing.parts
    if is_word and parts and len(value) == 1 and len(parts[-1]) == 2 and parts[-1][1] == "0" and parts[-1][0] > "1":
        parts[-1] = parts[-1][0] + value  # twenty three
    else:
        parts.append(value * growing.times)
    growing.letters += is_letter
    growing.times = 1


def _whole(growing: _Growing) -> Sequence[Run]:
    if not growing.parts:
        return ()
    return (Run(growing.start, growing.end, "".join(growing.parts), len(growing.parts), growing.letters),)
