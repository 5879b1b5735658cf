"""NCRONTAB schedules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_stack.functions_host.cron import parse_schedule
from local_stack.functions_host.errors import HostConfigurationError

START = datetime(2024, 2, 27, 23, 59, 58, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * * *", "2024-02-27T23:59:59"),
        ("*/15 * * * * *", "2024-02-28T00:00:00"),
        ("30 */5 * * * *", "2024-02-28T00:00:30"),
        ("0 30 9 * * *", "2024-02-28T09:30:00"),
        ("0 0 0 29 2 *", "2024-02-29T00:00:00"),
        ("0 0 12 * * Mon-Fri", "2024-02-28T12:00:00"),
        ("0 0 12 * * sunday", "2024-03-03T12:00:00"),
        ("0 0 0 1 Jan,Jul *", "2024-07-01T00:00:00"),
        ("0 5-10/5,40 8 * * *", "2024-02-28T08:05:00"),
        ("*/10 * * * *", "2024-02-28T00:00:00"),
        ("0 0 0 29 2 mon", "2044-02-29T00:00:00"),
        ("00:05:00", "2024-02-28T00:04:58.500000"),
    ],
)
def test_next_time(text: str, expected: str) -> None:
    moment = parse_schedule(text, "test").next_after(START)
    assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_day_that_never_comes() -> None:
    assert parse_schedule("0 0 0 31 2 *", "test").next_after(START) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * *",
        "60 * * * * *",
        "* * * * * 7",
        "* * * 0 * *",
        "a * * * * *",
        "5-1 * * * * *",
        "*/0 * * * * *",
        "-1",
    ],
)
def test_malformed_schedules_are_refused(text: str) -> None:
    with pytest.raises(HostConfigurationError, match="function 'f'"):
        parse_schedule(text, "function 'f'")


@settings(max_examples=60, deadline=None)
@given(
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    second=st.integers(0, 59),
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
)
def test_a_daily_time_comes_within_a_day_and_never_before(
    moment: datetime, second: int, minute: int, hour: int
) -> None:
    found = parse_schedule(f"{second} {minute} {hour} * * *", "test").next_after(moment)
    assert found is not None
    assert (found.hour, found.minute, found.second) == (hour, minute, second)
    assert 0 < (found - moment).total_seconds() <= 86_400
