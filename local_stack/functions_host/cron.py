"""Schedules of timer triggers: NCRONTAB with six (or five) fields, or a time span as an interval."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from local_stack.functions_host.errors import HostConfigurationError
from local_stack.functions_host.host_json import parse_timespan_s

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAYS = {name: n for n, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 6),
)
_ITEM = re.compile(r"^(\*|\w+)(?:-(\w+))?(?:/(\d+))?$")
# 29 February on a given weekday comes back within 40 years.
_SEARCH_DAYS = 366 * 40


class Schedule(Protocol):
    """When a timer trigger runs."""

    def next_after(self, moment: datetime) -> datetime | None:
        """First time after `moment`, in its zone; None if there is none."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so many seconds."""

    seconds: float

    def next_after(self, moment: datetime) -> datetime | None:
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cron:
    """An NCRONTAB expression; all six fields must fit.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime | None:
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        found = self._in_day(start, start.hour, start.minute, start.second) if self._fits(start) else None
        day = start
        for _ in range(_SEARCH_DAYS):
            if found is not None:
                return found
            day = (day + timedelta(days=1)).replace(hour=0, minute=0, second=0)
            if self._fits(day):
                found = self._in_day(day, 0, 0, 0)
        return found

    def _fits(self, day: datetime) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _in_day(self, day: datetime, hour: int, minute: int, second: int) -> datetime | None:
        """First time of `day` that is not before hour:minute:second."""
        for h in self.hours:
            if h < hour:
                continue
            for m in self.minutes:
                if h == hour and m < minute:
                    continue
                for s in self.seconds:
                    if (h, m) != (hour, minute) or s >= second:
                        return day.replace(hour=h, minute=m, second=s)
        return None


def parse_schedule(text: str, where: str) -> Schedule:
    """Read a schedule such as `0 */5 * * * *` or `00:05:00`.

    Raises: HostConfigurationError naming `where`.
    """
    parts = text.split()
    if len(parts) == 1 and ":" in text:
        seconds = parse_timespan_s(text, where)
        if seconds is None or seconds <= 0:
            raise HostConfigurationError(f"{where}: interval '{text}' must be positive")
        return Interval(seconds)
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise HostConfigurationError(f"{where}: schedule '{text}' must have six fields")
    fields = [_parse_field(part, index, where) for index, part in enumerate(parts)]
    second, minute, hour = (tuple(sorted(field)) for field in fields[:3])
    return Cron(second, minute, hour, frozenset(fields[3]), frozenset(fields[4]), frozenset(fields[5]))


def _parse_field(text: str, index: int, where: str) -> set[int]:
    label, low, high = _FIELDS[index]
    names = _MONTHS if label == "month" else _DAYS if label == "day of week" else {}
    values: set[int] = set()
    for item in text.split(","):
        match = _ITEM.match(item)
        if match is None:
            raise HostConfigurationError(f"{where}: cannot read {label} '{item}'")
        first, last, step = match.groups()
        begin = low if first == "*" else _number(first, names, label, where)
        open_end = high if first == "*" or step else begin
        end = open_end if last is None else _number(last, names, label, where)
        if not low <= begin <= end <= high or step == "0":
            raise HostConfigurationError(f"{where}: {label} '{item}' must lie in {low}-{high}")
        values.update(range(begin, end + 1, int(step or 1)))
    return values


def _number(text: str, names: dict[str, int], label: str, where: str) -> int:
    if text.isdigit():
        return int(text)
    number = names.get(text[:3].casefold())
    if number is None:
        raise HostConfigurationError(f"{where}: cannot read {label} '{text}'")
    return number
