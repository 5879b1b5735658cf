"""Dates as callers say them: by the calendar, by the day of the week, or counted from today."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from shared.domain.slots.calendar_words import meaning
from shared.domain.slots.counting import counts_in
from shared.domain.slots.numerals import plain, tokens
from shared.domain.slots.reading import Context, Reading, Why, none, one, one_of

_WEEK = 7
_DAYS = {"day": 1, "week": _WEEK, "fortnight": 2 * _WEEK}
_YEARS_WITHOUT_LEAP = 8
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})(?:[-/.](\d{4}|\d{2}))?(?!\d)")
_YEAR = r"(?P<year>(?:19|20)\d\d|(?:19|20) (?:(?:oh|o) )?\d{1,2})(?!\d)"
_DAY_MONTH = re.compile(
    rf"(?<!\d)(?P<day>\d{{1,2}})(?:th)? (?:date |day |of |का |की |को |ka |ki |ko |the |, |- ){{0,3}}"
    rf"<m(?P<month>\d+)>(?: (?:of |, |- |\. |year |in ){{0,2}}{_YEAR})?"
)
_MONTH_DAY = re.compile(
    rf"<m(?P<month>\d+)> (?:the |date |, |- |\. |की |ki ){{0,2}}(?P<day>\d{{1,2}})(?!\d)(?:th)?"
    rf"(?: (?:of |, |- |year ){{0,2}}{_YEAR})?"
)
_BARE_DAY = re.compile(
    r"(?:\bthe (?P<the>\d{1,2})(?:th)?(?![\d.])"
    r"|(?<!\ba )(?<!\d )(?<!\d)(?P<th>\d{1,2})th\b|(?<!\d)(?P<date>\d{1,2}) (?:date))"
)
_SPOKEN_NUMERIC = re.compile(rf"(?<![\d.])(?P<first>\d{{1,2}}) (?P<second>\d{{1,2}}) {_YEAR}")
_OF_THIS_OR_NEXT_MONTH = re.compile(
    r"(?<!\d)(?P<day>\d{1,2})(?:th)?(?: date)? (?:of |in )?(?P<which>this|next) month"
    r"|(?P<which_first>this|next) month (?:on |का |की |के |ki |ka |ke )?(?:the )?(?P<day_after>\d{1,2})(?!\d)(?:th)?"
)
_NEXT_WEEK = re.compile(r"next week")
_WEEKDAY = re.compile(r"(?P<which>(?:next|last|this|on|week on) )?(?:week (?:on )?)?<w(?P<day>\d)>(?P<week> week\b)?")
_COUNTED = re.compile(
    r"(?P<in>in |after )?(?P<count>\d{1,3}|a|an|ek) (?P<unit>day|week|fortnight|month|year)"
    r"(?: (?P<way>after|ago|from|time|hence))?(?: (?P<from>today|tomorrow|now|<w\d>))?"
)
_AFTER_NEXT = re.compile(r"<w(?P<day>\d)> after next")
_END_OF_MONTH = re.compile(r"(?:end|last day) of (?:the )?(?:(?P<which>this|next) )?month\b")
_DAY_AFTER = re.compile(r"day after (?:the )?tomorrow|overmorrow|tomorrow மறுநாள")
_DAY_BEFORE = re.compile(r"day before yesterday")


def read_date(said: str, context: Context) -> Reading:
    """ISO 8601. A day without a year is the next one there is; where dates lie behind, the last one."""
    language = counts_in(said, context.language)
    words = " ".join(meaning(word, language) for word in plain(tokens(said, context.language)).split(" "))
    reader = _Dates(context)
    for reading in (
        reader.numeric(said),
        reader.of_month(words),
        reader.spoken_numeric(words),
        reader.of_near_month(words),
        reader.counted(words),
        reader.named(words),
    ):
        if reading is not None:
            return reading
    return reader.of_week(words) or reader.bare_day(words) or none(Why.NOTHING)


class _Dates:
    def __init__(self, context: Context) -> None:
        self._today = context.today
        self._in_past = context.in_past
        parts = context.language.replace("_", "-").upper().split("-")
        self._orders = ("md",) if "US" in parts[1:] else ("dm", "md") if parts == ["EN"] else ("dm",)

    def numeric(self, said: str) -> Reading | None:
        if found := _ISO.search(said):
            return self._exact(int(found[1]), int(found[2]), int(found[3]))
        found = _NUMERIC.search(said)
        if found is None or (not found[3] and "." in found.group()):
            return None
        return self._in_either_order(int(found[1]), int(found[2]), found[3])

    def spoken_numeric(self, words: str) -> Reading | None:
        """Twelve five twenty twenty-six."""
        found = _SPOKEN_NUMERIC.search(words)
        return (
            None if found is None else self._in_either_order(int(found["first"]), int(found["second"]), found["year"])
        )

    def _in_either_order(self, first: int, second: int, year: str | None) -> Reading:
        readings = []
        for order in (*self._orders, "dm", "md"):
            day, month = (first, second) if order == "dm" else (second, first)
            if (reading := self._of_year(year, month, day)).value:
                readings.append(reading.value)
            if readings and order == self._orders[-1]:
                break
        return one_of(readings) if readings else none(Why.IMPOSSIBLE)

    def of_month(self, words: str) -> Reading | None:
        found = _DAY_MONTH.search(words) or _MONTH_DAY.search(words)
        if found is None:
            return None
        reading = self._of_year(found["year"], int(found["month"]), int(found["day"]))
        weekday = _WEEKDAY.search(words)
        if not reading.value or weekday is None:
            return reading
        when = date.fromisoformat(reading.value)
        if when.weekday() == int(weekday["day"]):
            return reading
        return one_of([reading.value, self._coming(int(weekday["day"])).isoformat()])

    def of_near_month(self, words: str) -> Reading | None:
        """The fifth of next month, or its end."""
        if found := _END_OF_MONTH.search(words):
            first = _moved(self._today.replace(day=1), 2 if found["which"] == "next" else 1, "month")
            return one((first - timedelta(days=1)).isoformat())
        found = _OF_THIS_OR_NEXT_MONTH.search(words)
        if found is None:
            return None
        months = 1 if "next" in (found["which"], found["which_first"]) else 0
        month = _moved(self._today.replace(day=1), months, "month")
        return self._exact(month.year, month.month, int(found["day"] or found["day_after"]))

    def counted(self, words: str) -> Reading | None:
        """In three days, two weeks from tomorrow, a month ago."""
        for found in _COUNTED.finditer(words):
            if not (found["in"] or found["way"]) or (found["way"] == "from" and not found["from"]):
                continue
            count = int(found["count"]) if found["count"].isdecimal() else 1
            begin = self._today
            if found["from"] == "tomorrow":
                begin += timedelta(days=1)
            elif (found["from"] or "").startswith("<w"):
                begin = self._coming(int(found["from"][2]))
            return one(_moved(begin, -count if found["way"] == "ago" else count, found["unit"]).isoformat())
        return None

    def named(self, words: str) -> Reading | None:
        """Today, tomorrow; in Hindi one word is for both sides of today."""
        is_past = self._in_past or re.search(r"\bwas\b", words) is not None
        for pattern, days in ((_DAY_AFTER, 2), (_DAY_BEFORE, -2)):
            if pattern.search(words):
                return self._days(days)
        distances = {"today": 0, "tomorrow": 1, "yesterday": -1, "kal": -1 if is_past else 1}
        distances |= {"parson": -2, "tarson": -3} if is_past else {"parson": 2, "tarson": 3}
        for word in words.split(" "):
            if word in distances:
                return self._days(distances[word])
        return None

    def of_week(self, words: str) -> Reading | None:
        if "weekend" in words.split(" "):
            saturday = self._coming(5)
            return one_of([(saturday + timedelta(days=days)).isoformat() for days in range(2)])
        if found := _AFTER_NEXT.search(words):
            return one((self._coming(int(found["day"])) + timedelta(days=_WEEK)).isoformat())
        found = _WEEKDAY.search(words)
        if found is None:
            return None
        weekday = int(found["day"])
        if (number := _BARE_DAY.search(words)) is None:
            return self._of_weekdays(words)
        reading = self._bare(number)
        if reading.value and date.fromisoformat(reading.value).weekday() != weekday:
            return one_of([reading.value, self._coming(weekday).isoformat()])
        return reading

    def _of_weekdays(self, words: str) -> Reading:
        meant: list[date] = []
        for found in _WEEKDAY.finditer(words):
            weekday, which = int(found["day"]), (found["which"] or "").strip()
            if _NEXT_WEEK.search(words):
                meant.append(self._next_monday() + timedelta(days=weekday))
            else:
                meant += self._weekdays(weekday, "week on" if found["week"] else which)
        return one_of([when.isoformat() for when in meant])

    def _weekdays(self, weekday: int, which: str) -> list[date]:
        """What may be meant by a day of the week, the likeliest first."""
        coming = self._coming(weekday)
        is_today = self._today.weekday() == weekday
        if which == "last" or (self._in_past and which != "next"):
            return [coming - timedelta(days=_WEEK * (2 if is_today else 1))]
        if which == "week on":
            return [coming + timedelta(days=_WEEK)]
        if which == "next":
            return [self._next_monday() + timedelta(days=weekday), coming]
        if is_today:
            return [self._today] if which == "this" else [coming, self._today]
        return [coming]

    def bare_day(self, words: str) -> Reading | None:
        found = _BARE_DAY.search(words)
        return None if found is None else self._bare(found)

    def _bare(self, found: re.Match[str]) -> Reading:
        """A day of this month or the nearest that has it."""
        day = int(found["the"] or found["th"] or found["date"])
        if not 1 <= day <= 31:
            return none(Why.IMPOSSIBLE)
        step = -1 if self._in_past else 1
        for months in range(3):
            first = _moved(self._today.replace(day=1), months * step, "month")
            if day > monthrange(first.year, first.month)[1]:
                continue
            when = first.replace(day=day)
            if when <= self._today if self._in_past else when >= self._today:
                return one(when.isoformat())
        return none(Why.IMPOSSIBLE)

    def _of_year(self, written: str | None, month: int, day: int) -> Reading:
        if written:
            digits = re.sub(r"\D+", " ", written).split()
            year = int("".join([digits[0], *(part.zfill(2) for part in digits[1:])]))
            if year < 100:
                year += 2000
                year -= 100 if year > self._today.year + (0 if self._in_past else 20) else 0
            return self._exact(year, month, day)
        step = -1 if self._in_past else 1
        for distance in range(_YEARS_WITHOUT_LEAP + 1):
            when = _date(self._today.year + distance * step, month, day)
            if when is not None and (when <= self._today if self._in_past else when >= self._today):
                return one(when.isoformat())
        return none(Why.IMPOSSIBLE)

    def _exact(self, year: int, month: int, day: int) -> Reading:
        when = _date(year, month, day)
        return one(when.isoformat()) if when else none(Why.IMPOSSIBLE)

    def _days(self, days: int) -> Reading:
        return one((self._today + timedelta(days=days)).isoformat())

    def _next_monday(self) -> date:
        return self._today + timedelta(days=_WEEK - self._today.weekday())

    def _coming(self, weekday: int) -> date:
        """The next one after today."""
        return self._today + timedelta(days=(weekday - self._today.weekday() - 1) % _WEEK + 1)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moved(begin: date, count: int, unit: str) -> date:
    if days := _DAYS.get(unit):
        return begin + timedelta(days=count * days)
    months = begin.year * 12 + begin.month - 1 + count * (1 if unit == "month" else 12)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(begin.day, monthrange(year, month + 1)[1]))
