"""Takes personal data out of what was said, written or spoken: rather a number too many than one too few.

What is found is replaced by its kind in brackets, so that the text can still be read, and redacted again without
change. Rules cannot know every name: who has read the text may name more (`known`), which only ever hides more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from shared.domain.after_call.check_digits import is_aadhaar, is_card, is_iban, is_pan
from shared.domain.after_call.names import addresses_in, names_in
from shared.domain.after_call.spoken_digits import Run, runs


class Kind(StrEnum):
    EMAIL = "[email]"
    PHONE = "[phone]"
    CARD = "[card]"
    IBAN = "[iban]"
    PAN = "[pan]"
    AADHAAR = "[aadhaar]"
    CODE = "[code]"
    NUMBER = "[number]"
    SPELLED = "[spelled]"
    NAME = "[name]"
    ADDRESS = "[address]"


_WRITTEN_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*", re.ASCII)
_SPOKEN_EMAIL = re.compile(
    r"\b[\w.+-]+(?:\s+(?:dot|underscore|dash|hyphen|point|डॉट)\s+[\w.+-]+)*\s+(?:at(?:\s+the\s+rate(?:\s+of)?)?|एट)\s+"
    r"[\w-]+(?:(?:\s+(?:dot|point|डॉट)\s+|\.)[\w-]+)+",
    re.IGNORECASE,
)
_IN_GROUPS = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{1,4}){3,8}\b")
_ONE_WORD = re.compile(r"\b[A-Za-z]{5}\d{4}[A-Za-z]\b")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
)
_AMOUNT = re.compile(r"\d{1,3}(?:,\d{2,3})+(?:\.\d{1,2})?|\d+\.\d{1,2}")
_SECRET = re.compile(
    r"\b(?:pin|otp|cvv|cvc|passcode|password|code|security number|ओटीपी|पिन)\b[^\d\n]{0,25}$", re.IGNORECASE
)
_POSTAL = re.compile(r"\b(?:pin ?code|zip(?: code)?|post ?code|postal code|पिन कोड)\b[^\d\n]{0,25}$", re.IGNORECASE)
_REACH = re.compile(
    r"\b(?:phone|mobile|cell|telephone|call|reach|whatsapp|contact|फोन|मोबाइल)\b[^\n]{0,30}$", re.IGNORECASE
)
_PLUS = re.compile(r"(?:\+|\bplus\b)\s*$", re.IGNORECASE)
_LOOK_BACK = 45
_FEWEST_DIGITS, _FEWEST_OF_PHONE, _MOST_OF_PHONE = 7, 9, 15
_FEWEST_LETTERS = 4
_SHORTEST_NAME = 2
Spans = Iterable[tuple[int, int, Kind]]


def redacted(text: str, *, known: Iterable[str] = (), public: Collection[str] = ()) -> str:
    """The text without personal data. `known`: names and the like that are hidden wherever they stand; `public`:
    names that are not, whoever gives them as his own.
    """
    for find in (_emails, _groups, _spelled, _places):
        text = _hidden(text, find(text))
    given = [name for name in names_in(text) if name not in public]
    text = _hidden(text, ((match.start(), match.end(), Kind.NAME) for match in _known_in(text, given)))
    return _hidden(text, ((match.start(), match.end(), Kind.NAME) for match in _known_in(text, known)))


def redacted_all(texts: Sequence[str], *, known: Iterable[str] = (), public: Collection[str] = ()) -> list[str]:
    """Texts of one conversation: a name that is given in one of them is hidden in all."""
    names = {name for text in texts for name in names_in(text) if name not in public} | set(known)
    return [redacted(text, known=names, public=public) for text in texts]


def redacted_value(value: Any, *, known: Iterable[str] = ()) -> Any:
    """JSON with redacted strings; a number that is personal becomes a string."""
    names = frozenset(known)
    if isinstance(value, str):
        return redacted(value, known=names)
    if isinstance(value, Mapping):
        return {name: redacted_value(each, known=names) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [redacted_value(each, known=names) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        hidden = redacted(str(value), known=names)
        return value if hidden == str(value) else hidden
    return value


def masked_number(number: str) -> str:
    """A telephone number, or whatever a line calls its caller, of which the last two characters are left."""
    return "*" * max(0, len(number) - 2) + number[-2:] if len(number) > 4 else "*" * len(number)


def _emails(text: str) -> Spans:
    for pattern in (_WRITTEN_EMAIL, _SPOKEN_EMAIL):
        for match in pattern.finditer(text):
            yield match.start(), match.end(), Kind.EMAIL


def _groups(text: str) -> Spans:
    """Accounts that are written as one word, or in groups of four."""
    for match in _IN_GROUPS.finditer(text):
        if end := _iban_end(match.group()):
            yield match.start(), match.start() + end, Kind.IBAN
    for match in _ONE_WORD.finditer(text):
        if is_pan(match.group().upper()):
            yield match.start(), match.end(), Kind.PAN


def _iban_end(found: str) -> int:
    """Where the account ends in what was found, which may go on with a word; 0: it is none."""
    for end in range(len(found), 14, -1):
        if found[end - 1].isalnum() and is_iban(re.sub("[ -]", "", found[:end]).upper()):
            return end
    return 0


def _spelled(text: str) -> Spans:
    for run in runs(text):
        if kind := _kind_of(run, text):
            yield _with_plus(run, text), run.end, kind


def _with_plus(run: Run, text: str) -> int:
    plus = _PLUS.search(text, max(0, run.start - _LOOK_BACK), run.start)
    return plus.start() if plus else run.start


def _kind_of(run: Run, text: str) -> Kind | None:  # noqa: PLR0911 - one line a kind
    said, before = text[run.start : run.end], text[max(0, run.start - _LOOK_BACK) : run.start]
    digits = run.value
    if not run.is_digits:
        return _kind_of_letters(run)
    if is_card(digits):
        return Kind.CARD
    if is_aadhaar(digits):
        return Kind.AADHAAR
    if 4 <= len(digits) <= 6 and _POSTAL.search(before):
        return Kind.ADDRESS
    if 3 <= len(digits) <= 8 and _SECRET.search(before):
        return Kind.CODE
    if len(digits) < _FEWEST_DIGITS or _DATE.fullmatch(said) or _AMOUNT.fullmatch(said):
        return None
    if len(digits) > _MOST_OF_PHONE:
        return Kind.NUMBER
    is_phone = len(digits) >= _FEWEST_OF_PHONE or digits[0] == "0" or _PLUS.search(before) or _REACH.search(before)
    return Kind.PHONE if is_phone else Kind.NUMBER


def _kind_of_letters(run: Run) -> Kind | None:
    if is_pan(run.value):
        return Kind.PAN
    if is_iban(run.value):
        return Kind.IBAN
    digits = re.sub("[A-Z]", "", run.value)
    if is_card(digits):
        return Kind.CARD
    if len(digits) >= _FEWEST_OF_PHONE:
        return Kind.PHONE if len(digits) <= _MOST_OF_PHONE else Kind.NUMBER
    return Kind.SPELLED if run.letters >= _FEWEST_LETTERS else None


def _places(text: str) -> Spans:
    for start, end in addresses_in(text):
        yield start, end, Kind.ADDRESS


def _known_in(text: str, names: Iterable[str]) -> Iterator[re.Match[str]]:
    """Whole names first, then their parts, so that `Ms Rao` is hidden where `Priya Rao` was named."""
    whole = {name.strip() for name in names}
    parts = {part for name in whole for part in name.split() if len(part) > _SHORTEST_NAME}
    words = sorted((name for name in whole | parts if len(name) >= _SHORTEST_NAME), key=len, reverse=True)
    if words:
        pattern = "|".join(re.escape(word) for word in words)
        yield from re.finditer(rf"(?<![\w\[])(?:{pattern})(?![\w\]])", text, re.IGNORECASE)


def _hidden(text: str, spans: Spans) -> str:
    """With each span replaced by its kind; of spans that overlap, the first."""
    pieces, at = [], 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < at:
            continue
        pieces += [text[at:start], kind.value]
        at = end
    return "".join(pieces) + text[at:]
