"""What became of reading a caller's words for a slot: one value, several that may be meant, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Why(StrEnum):
    """Why there is no value."""

    NOTHING = "nothing"
    """Nothing of the kind is in the words."""
    AMBIGUOUS = "ambiguous"
    """Several may be meant: they are the candidates."""
    TOO_SHORT = "too_short"
    """More is to come: what is there so far is in `partial`."""
    TOO_LONG = "too_long"
    IMPOSSIBLE = "impossible"
    """It is of the kind, but there is no such thing: the 30th of February."""
    DECLINED = "declined"
    """The caller wants none of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`value`: canonical, "" where there is none; `candidates`: the likeliest first. Dates are ISO 8601, times HH:MM,
    telephone numbers E.164, numbers plain decimals, amounts "1200 INR".
    """

    value: str = ""
    candidates: tuple[str, ...] = ()
    why: Why | None = None
    partial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What must be known to read a value. `today`: the caller's date. `language`: a tag. `country`: ISO 3166, for
    numbers without a country code. `currency`: ISO 4217, for amounts that name none. `in_past`: dates lie behind (of
    birth, of a purchase), not ahead.
    """

    today: date
    language: str = "en"
    country: str = "IN"
    currency: str = ""
    choices: tuple[str, ...] = ()
    in_past: bool = False


def one(value: str) -> Reading:
    return Reading(value)


def one_of(candidates: list[str]) -> Reading:
    """The only one there is, or all that may be meant."""
    known = tuple(dict.fromkeys(candidates))
    if len(known) == 1:
        return Reading(known[0])
    return Reading(candidates=known, why=Why.AMBIGUOUS) if known else none(Why.NOTHING)


def none(why: Why, partial: str = "") -> Reading:
    return Reading(why=why, partial=partial)
