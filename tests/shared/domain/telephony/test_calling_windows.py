"""A calling window is one of the clock on the tenant's wall, also on the days on which that clock is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Forbidden
from shared.domain.telephony.outbound import OutboundPolicy, Usage

TO = "+14155550100"
POLICY = OutboundPolicy(prefixes=("+1",), most_at_once=1, daily_spend=Decimal(1), minute_prices={"+": Decimal(0)})
ZONES = ("UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati")


def may_call(policy: OutboundPolicy, at: datetime) -> bool:
    try:
        policy.allow(TO, at, Usage())
    except Forbidden as error:
        if error.code != "outside_calling_window":
            raise
        return False
    return True


def window(zone: str, begin: str, end: str) -> OutboundPolicy:
    minutes = [60 * int(text[:2]) + int(text[3:]) for text in (begin, end)]
    return replace(POLICY, time_zone=zone, from_minute=minutes[0], until_minute=minutes[1])


@pytest.mark.parametrize(
    ("zone", "at", "may"),
    [
        ("Europe/Berlin", "2026-03-28T18:59:59", True),
        ("Europe/Berlin", "2026-03-28T19:00:00", False),
        ("Europe/Berlin", "2026-03-29T17:59:59", True),
        ("Europe/Berlin", "2026-03-29T18:00:00", False),
        ("Europe/Berlin", "2026-03-29T06:59:59", False),
        ("Europe/Berlin", "2026-03-29T07:00:00", True),
        ("Europe/Berlin", "2026-10-25T07:59:59", False),
        ("Europe/Berlin", "2026-10-25T08:00:00", True),
        ("Asia/Kolkata", "2026-11-22T03:29:59", False),
        ("Asia/Kolkata", "2026-11-22T03:30:00", True),
        ("America/New_York", "2026-11-01T13:59:59", False),
        ("America/New_York", "2026-11-01T14:00:00", True),
        ("America/New_York", "2026-10-31T13:00:00", True),
    ],
)
def test_from_nine_to_eight_on_the_wall(zone: str, at: str, may: bool) -> None:
    assert may_call(window(zone, "09:00", "20:00"), datetime.fromisoformat(f"{at}+00:00")) is may


def test_an_hour_that_is_left_out_is_no_time_to_call() -> None:
    left_out = window("Europe/Berlin", "02:00", "03:00")
    midnight = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert not any(may_call(left_out, midnight + timedelta(minutes=each)) for each in range(23 * 60))


def test_an_hour_that_comes_twice_is_good_twice() -> None:
    twice = window("Europe/Berlin", "02:00", "03:00")
    midnight = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert sum(may_call(twice, midnight + timedelta(minutes=each)) for each in range(25 * 60)) == 120


def test_a_weekday_is_that_of_the_tenant() -> None:
    monday = replace(POLICY, time_zone="Pacific/Kiritimati", weekdays=frozenset({1}))
    assert may_call(monday, datetime(2026, 11, 22, 10, 0, tzinfo=UTC)), "where it is Monday already"
    assert not may_call(monday, datetime(2026, 11, 23, 10, 0, tzinfo=UTC))


@given(
    at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    asked_in=st.sampled_from(ZONES),
    zone=st.sampled_from(ZONES),
    edges=st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True),
    weekdays=st.frozensets(st.integers(1, 7)),
)
def test_it_is_the_moment_that_counts_and_not_how_it_is_written(
    at: datetime, asked_in: str, zone: str, edges: list[int], weekdays: frozenset[int]
) -> None:
    begin, end = sorted(edges)
    policy = replace(POLICY, time_zone=zone, from_minute=begin, until_minute=end, weekdays=weekdays)
    wall = at.astimezone(ZoneInfo(zone))
    expected = wall.isoweekday() in weekdays and begin <= wall.hour * 60 + wall.minute < end
    assert may_call(policy, at) is expected
    assert may_call(policy, at.astimezone(ZoneInfo(asked_in))) is expected
