"""The calendar of a small clinic."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final

_TIMES: Final = ("09:00", "10:30", "14:00", "16:30")
_SUNDAY: Final = 6


@dataclass
class CalendarBook:
    """Answers as an HTTP service does: a status and a document. A time belongs to whoever books it first."""

    booked: dict[tuple[str, str], str] = field(default_factory=dict)

    def free(self, date: str) -> tuple[int, Any]:
        if (day := _day(date)) is None:
            return 400, {"error": "date must be YYYY-MM-DD"}
        times = [] if day.weekday() == _SUNDAY else [time for time in _TIMES if (date, time) not in self.booked]
        return 200, {"date": date, "free": times}

    def book(self, date: str, time: str, patient: str) -> tuple[int, Any]:
        """The same booking again is the same as once."""
        day = _day(date)
        if day is None or time not in _TIMES or not patient.strip():
            return 400, {"error": "a booking needs date (YYYY-MM-DD), time (one of the free ones) and patient"}
        if day.weekday() == _SUNDAY or self.booked.setdefault((date, time), patient) != patient:
            return 409, {"error": "this time is not free"}
        return 201, {"date": date, "time": time, "patient": patient}


def _day(date: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(date)
    except ValueError:
        return None
