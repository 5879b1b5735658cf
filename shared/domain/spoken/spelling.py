"""What is not a word, as it is said: codes, telephone numbers and addresses, in groups that an ear can keep."""

from __future__ import annotations

import re

from shared.domain.spoken.numbers import digits
from shared.domain.spoken.tongues import Tongue

_RUNS = re.compile(r"[A-Za-z]+|\d+")
_MARKS = {
    "_": "underscore",
    "-": "dash",
    "/": "slash",
    "?": "question mark",
    "=": "equals",
    "#": "hash",
    "~": "tilde",
}
_GROUP = 4
_SHORT = 3
_LONG_GROUP = 5
_NATIONAL = 10
"""Digits of most numbers without the country's code."""
_WORD = 5


def spelled_code(code: str, tongue: Tongue) -> str:
    """Letter by letter and digit by digit, with a pause between letters and digits unless it is short. What is long
    and set off by a dash is a word.
    """
    groups = []
    for run in _RUNS.findall(code):
        if run.isalpha() and len(run) >= _WORD and f"{run}-" in code:
            groups.append(run)
        elif run.isalpha():
            groups.append(letters(run, tongue))
        else:
            groups += [digits(part, tongue.language) for part in _parts(run)]
    return (" " if len(code) <= _SHORT else ", ").join(groups)


def letters(written: str, tongue: Tongue) -> str:
    """The names of Latin letters; themselves, where the language has none for them."""
    if not tongue.letters:
        return " ".join(written.upper())
    return " ".join(tongue.letters[ord(letter) - ord("A")] for letter in written.upper())


def spoken_phone(written: str, tongue: Tongue) -> str:
    """In the groups in which it is written; a run of digits without any, in groups of three to five, the country's
    code apart.
    """
    groups = re.findall(r"\d+", written)
    if written.startswith("+") and len(groups) == 1 and len(groups[0]) > _NATIONAL:
        groups = [groups[0][:-_NATIONAL], groups[0][-_NATIONAL:]]
    parts = [part for group in groups for part in (_parts(group) if len(group) > _LONG_GROUP else [group])]
    said = ", ".join(digits(part, tongue.language) for part in parts)
    return f"{tongue.plus} {said}" if written.lstrip("( ").startswith("+") else said


def spoken_digits(written: str, tongue: Tongue) -> str:
    return ", ".join(digits(part, tongue.language) for part in _parts(written))


def spoken_address(written: str, tongue: Tongue) -> str:
    """An e-mail address or a link: names as words, marks by their names, digits one by one."""
    said = []
    for part in re.findall(r"[^\W\d_]+|\d+|[.@/_+?=&%#~-]", re.sub(r"^https?://", "", written)):
        match part:
            case ".":
                said.append(tongue.dot)
            case "@":
                said.append(tongue.at)
            case "+":
                said.append(tongue.plus)
            case "&":
                said.append(tongue.and_)
            case "%":
                said.append(tongue.percent)
            case _ if part in _MARKS:
                said.append(_MARKS[part])
            case _ if part.isdecimal():
                said.append(digits(part, tongue.language))
            case "www":
                said.append(letters(part, tongue))
            case _:
                said.append(part)
    return " ".join(said)


def _parts(run: str) -> list[str]:
    """Ten digits as five and five, others in threes and fours."""
    if len(run) <= _GROUP + 1:
        return [run]
    if len(run) == 10:
        return [run[:5], run[5:]]
    size = 3 if len(run) % 3 == 0 else _GROUP
    return [run[start : start + size] for start in range(0, len(run), size)]
