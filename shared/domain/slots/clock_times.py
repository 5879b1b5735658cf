"""Times of day as callers say them, in English and in Hindi."""

from __future__ import annotations

import re

from shared.domain.slots.number_words import folded
from shared.domain.slots.numerals import plain, tokens
from shared.domain.slots.reading import Context, Reading, Why, none, one, one_of

_HALF_OF_DAY = re.compile(r"\b([ap])\s?\.?\s?m\b\.?", re.IGNORECASE)
_O_CLOCK = re.compile(r"\bo\s?['’]?\s?clock\b", re.IGNORECASE)
_QUARTER_OF_ONE = re.compile(r"(सवा|पौने?|sava|sawa|paune?)\s{1,3}(बजे|baje)", re.IGNORECASE)
"""An hour that is not said is one."""
_MINUTES = {"quarter": 15, "half": 30}
_BEFORE, _AFTER = ("to", "before", "till", "of"), ("past", "after")
_COUNT = r"(?P<minutes>\d{1,2}|quarter|half)"
_PAST_OR_TO = re.compile(
    rf"{_COUNT} (?:minutes? )?(?P<way>{'|'.join((*_BEFORE, *_AFTER))}) (?P<hour>\d{{1,2}}|noon|midnight)(?![\d.])"
)
_HALF_HOUR = re.compile(r"\bhalf (?P<hour>\d{1,2})\b")
_CLOCK = re.compile(r"(?<![\d:.])(?P<hour>\d{1,2}) ?[:] ?(?P<minute>\d{2})(?!\d)")
_DOTTED = re.compile(r"(?<![\d.])(?P<hour>\d{1,2})\.(?P<minute>[0-5]\d)(?!\d)")
_QUARTERS = re.compile(r"(?<![\d.])(?P<hour>\d{1,2})\.(?P<part>25|5|75)(?!\d)")
_PAIR = re.compile(r"(?<![\d.])(?P<hour>\d{1,2}) (?:(?:oh|o) )?(?P<minute>\d{1,2})(?!\d)")
_TOGETHER = re.compile(r"(?<![\d.])(?P<hour>\d{1,2})(?P<minute>[0-5]\d)(?!\d)")
_HUNDRED_HOURS = re.compile(r"(?<![\d.])(?P<hour>\d{1,2})(?P<minute>\d{2}) (?:hours|hrs)")
_EITHER = re.compile(
    r"(?<![\d.:])(?P<first>\d{1,2})(?: (?:am|pm|बजे|baje|oclock))? (?:and|or|या|ya)"
    r" (?P<second>\d{1,2})(?![\d.:]|th| :| \d)"
)
_BARE = re.compile(r"(?<![\d.])(?P<hour>\d{1,2})(?![\d.]|th)")
_AT = re.compile(
    r"(?<![\d.])(?P<before>\d{1,2}) (?:oclock|am|pm|बजे|baje|in the)(?:\s|$)"
    r"|\b(?:at|by|around|about) (?P<after>\d{1,2})(?![\d.]|th)"
)
_PAST_IN_HINDI = re.compile(r"(?P<hour>\d{1,2}) (?:बजकर|bajkar|bajke) (?P<minute>\d{1,2})")
_TO_IN_HINDI = re.compile(r"(?P<hour>\d{1,2}) (?:बजने|bajne) (?:में|me|mein) (?P<minute>\d{1,2})")
_TELLS_TIME = re.compile(
    r"(?:^|\s)(?:at|by|around|about|oclock|am|pm|बजे|baje|morning|afternoon|evening|night|<of>)(?:\s|$)"
)

_PARTS_OF_DAY = {
    "am": "morning",
    "pm": "pm afternoon evening tonight dopahar dopeher shaam sham शाम दोपहर",
    "night": "night रात raat",
}
_MORNING = "morning subah सुबह सवेरे savere"
_OF_WORD = {folded(word): half for half, words in _PARTS_OF_DAY.items() for word in words.split()} | {
    folded(word): "am" for word in ("am", *_MORNING.split())
}
_NAMED = {
    "noon": "12:00",
    "midday": "12:00",
    "midnight": "00:00",
    "आधी रात": "00:00",
    "aadhi raat": "00:00",
}
_DAYTIME = range(7, 19)


def read_time(said: str, context: Context) -> Reading:
    """HH:MM of 24 hours. Where neither words nor hours tell the half of the day, both; what lies in daytime first."""
    text = _O_CLOCK.sub("oclock", _HALF_OF_DAY.sub(r"\1m ", said))
    text = _QUARTER_OF_ONE.sub(r"\1 1 \2", text)
    words = plain(tokens(text, context.language))
    if found := _EITHER.search(words):
        readings = [_of_day(int(found[hour]), 0, words) for hour in ("first", "second") if int(found[hour]) <= 24]
        return one_of([value for reading in readings for value in (reading.value, *reading.candidates) if value])
    clock = _clock(words)
    if clock is None:
        named = next((time for name, time in _NAMED.items() if f" {folded(name)} " in f" {words} "), "")
        return one(named) if named else none(Why.NOTHING)
    hour, minute = clock
    if hour > 24 or minute > 59:
        return none(Why.IMPOSSIBLE)
    if _HUNDRED_HOURS.search(words):
        return one(f"{hour % 24:02}:{minute:02}")
    return _of_day(hour % 24, minute, words)


def _clock(words: str) -> tuple[int, int] | None:
    """Hour and minute as they are said, whatever the half of the day."""
    return _by_quarters(words) or _by_minutes(words) or _by_hours(words)


def _by_quarters(words: str) -> tuple[int, int] | None:
    """Half past four, ten to five."""
    if found := _PAST_OR_TO.search(words):
        named = {"noon": 12, "midnight": 24}
        hour = named.get(found["hour"]) or int(found["hour"])
        minutes = _MINUTES.get(found["minutes"]) or int(found["minutes"])
        return _before(hour, minutes) if found["way"] in _BEFORE else (hour, minutes)
    if found := _TO_IN_HINDI.search(words):
        return _before(int(found["hour"]), int(found["minute"]))
    if found := _QUARTERS.search(words):
        return int(found["hour"]) or 12, {"25": 15, "5": 30, "75": 45}[found["part"]]
    return None


def _by_minutes(words: str) -> tuple[int, int] | None:
    for pattern in (_PAST_IN_HINDI, _CLOCK, _DOTTED, _HUNDRED_HOURS, _PAIR, _TOGETHER):
        if found := pattern.search(words):
            return int(found["hour"]), int(found["minute"])
    return None


def _by_hours(words: str) -> tuple[int, int] | None:
    if found := _HALF_HOUR.search(words):
        return int(found["hour"]), 30
    if found := _AT.search(words):
        return int(found["before"] or found["after"]), 0
    found = _BARE.search(words)
    tells_time = _TELLS_TIME.search(words) or any(word in _OF_WORD for word in words.split(" "))
    if found is not None and (tells_time or _BARE.fullmatch(words.strip(" .,!?"))):
        return int(found["hour"]), 0
    return None


def _before(hour: int, minutes: int) -> tuple[int, int]:
    return (hour - 1 or 12 if hour != 24 else 23), 60 - minutes


def _of_day(hour: int, minute: int, words: str) -> Reading:
    half = next((_OF_WORD[word] for word in words.split(" ") if word in _OF_WORD), "")
    if hour > 12 or (hour == 0 and not half):
        return one(f"{hour:02}:{minute:02}")
    if half == "night":  # ten at night, two at night
        half = "pm" if 6 <= hour < 12 else "am"
    morning, evening = hour % 12, hour % 12 + 12
    if half:
        return one(f"{morning if half == 'am' else evening:02}:{minute:02}")
    both = sorted((morning, evening), key=lambda at: at not in _DAYTIME)
    return one_of([f"{at:02}:{minute:02}" for at in both])
