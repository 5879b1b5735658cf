"""Numbers that prove themselves: what fails its check is some other number."""

from __future__ import annotations

import re

_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
"""Multiplication in the dihedral group D5. Source: J. Verhoeff, Error Detecting Decimal Codes, 1969."""
_FIRST_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_PAN = re.compile(r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]")
"""The fourth letter says whose it is. Source: https://incometaxindia.gov.in/Forms/tps/1.Permanent%20Account%20Number%20(PAN).pdf"""


def _turns() -> tuple[tuple[int, ...], ...]:
    rows = [tuple(range(10)), _FIRST_TURN]
    while len(rows) < 8:
        rows.append(tuple(rows[-1][digit] for digit in _FIRST_TURN))
    return tuple(rows)


_TURNS = _turns()


def is_card(digits: str) -> bool:
    """Luhn, over 13 to 19 digits. Source: ISO/IEC 7812-1."""
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def is_aadhaar(digits: str) -> bool:
    """Verhoeff, over 12 digits that begin with 2 to 9. Source: https://uidai.gov.in"""
    if len(digits) != 12 or digits[0] in "01":
        return False
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _TIMES[check][_TURNS[place % 8][int(digit)]]
    return check == 0


def is_iban(text: str) -> bool:
    """The rest of 97, without spaces, in capitals. Source: ISO 13616."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def is_pan(text: str) -> bool:
    """India's permanent account number, in capitals; it has no check that is public."""
    return _PAN.fullmatch(text) is not None
