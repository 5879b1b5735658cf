"""Nothing may be dialled but what the policy says, when it says, and for no more money."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.errors import Conflict, Forbidden, InvalidRequest, VoiceAgentError
from shared.domain.telephony.outbound import Allowance, OutboundPolicy, Usage

TO = "+14155550100"
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
POLICY = OutboundPolicy(
    prefixes=("+1415", "+49"),
    time_zone="America/New_York",
    weekdays=frozenset({1, 2}),
    from_minute=7 * 60,
    until_minute=20 * 60,
    most_at_once=2,
    longest_s=600,
    daily_spend=Decimal("1.00"),
    minute_prices={"+": Decimal("0.50"), "+1": Decimal("0.02"), "+1415": Decimal("0.03")},
)
"""In November noon in UTC is seven in the morning there."""


def refused(
    policy: OutboundPolicy, to: str = TO, at: datetime = MONDAY_NOON, usage: Usage | None = None
) -> VoiceAgentError:
    with pytest.raises(VoiceAgentError) as error:
        policy.allow(to, at, usage or Usage())
    return error.value


def test_the_longest_prefix_says_what_a_minute_costs() -> None:
    assert POLICY.allow(TO, MONDAY_NOON, Usage()) == Allowance(600, Decimal("0.03"))
    assert POLICY.allow("+4930555010", MONDAY_NOON, Usage()) == Allowance(120, Decimal("0.50"))


def test_as_it_stands_nobody_may_be_called() -> None:
    assert refused(OutboundPolicy()).code == "destination_not_allowed"


@pytest.mark.parametrize("to", ["+14255550100", "+15550100001", "+33155501000"])
def test_other_destinations(to: str) -> None:
    error = refused(POLICY, to)
    assert isinstance(error, Forbidden)
    assert error.code == "destination_not_allowed"


@pytest.mark.parametrize(
    ("at", "may"),
    [
        (MONDAY_NOON, True),
        (MONDAY_NOON - timedelta(minutes=1), False),
        (MONDAY_NOON + timedelta(hours=12, minutes=59), True),
        (MONDAY_NOON + timedelta(hours=13), False),
        (MONDAY_NOON + timedelta(days=1), True),
        (MONDAY_NOON + timedelta(days=2), False),
        (MONDAY_NOON - timedelta(days=1), False),
        (datetime(2026, 7, 6, 11, 0, tzinfo=UTC), True),
    ],
)
def test_the_calling_window_is_that_of_the_tenants_time_zone(at: datetime, may: bool) -> None:
    if may:
        POLICY.allow(TO, at, Usage())
    else:
        assert refused(POLICY, at=at).code == "outside_calling_window"


def test_no_more_calls_at_once_than_allowed() -> None:
    POLICY.allow(TO, MONDAY_NOON, Usage(open_calls=1))
    error = refused(POLICY, usage=Usage(open_calls=2))
    assert isinstance(error, Conflict)
    assert error.code == "too_many_calls"


@pytest.mark.parametrize(
    ("spent", "longest_s"), [("0", 600), ("0.70", 600), ("0.71", 540), ("0.94", 120), ("0.97", 60)]
)
def test_a_call_lasts_no_longer_than_the_rest_of_the_day_pays_for(spent: str, longest_s: int) -> None:
    assert POLICY.allow(TO, MONDAY_NOON, Usage(spent=Decimal(spent))).longest_s == longest_s


@pytest.mark.parametrize("spent", ["0.98", "1.00", "7"])
def test_what_is_spent_is_spent(spent: str) -> None:
    assert refused(POLICY, usage=Usage(spent=Decimal(spent))).code == "spend_limit"


def test_a_number_without_a_price_is_not_dialled() -> None:
    assert refused(replace(POLICY, minute_prices={"+49": Decimal(1)})).code == "price_unknown"


def test_what_costs_nothing_is_not_limited_by_money() -> None:
    free = replace(POLICY, minute_prices={"+": Decimal(0)}, daily_spend=Decimal(0))
    assert free.allow(TO, MONDAY_NOON, Usage()) == Allowance(600, Decimal(0))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"prefixes": ("415",)}, "prefixes"),
        ({"prefixes": ("+",)}, "prefixes"),
        ({"prefixes": ("+0",)}, "prefixes"),
        ({"prefixes": ("+1²",)}, "prefixes"),
        ({"prefixes": ("+1",) * 301}, "prefixes"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"weekdays": frozenset({0})}, "weekdays"),
        ({"from_minute": 60, "until_minute": 60}, "calling_window"),
        ({"until_minute": 1441}, "calling_window"),
        ({"most_at_once": -1}, "most_at_once"),
        ({"longest_s": 59}, "longest_s"),
        ({"daily_spend": Decimal(-1)}, "money"),
        ({"daily_spend": Decimal("nan")}, "money"),
        ({"daily_spend": Decimal("inf")}, "money"),
        ({"minute_prices": {"+1": Decimal("1e20")}}, "money"),
        ({"minute_prices": {"1": Decimal(1)}}, "minute_prices"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_by_name(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        OutboundPolicy(**wrong)
    assert error.value.code == code


@pytest.mark.parametrize("amount", ["0.00004", "1e-999999", "1E+9", "-1", "NaN", "sNaN", "Infinity"])
@pytest.mark.parametrize("field", ["daily_spend", "minute_prices"])
def test_money_that_cannot_be_kept_as_it_is(amount: str, field: str) -> None:
    """A price that is rounded to nothing would let calls go on for ever."""
    value: Any = {"+": Decimal(amount)} if field == "minute_prices" else Decimal(amount)
    with pytest.raises(InvalidRequest) as error:
        OutboundPolicy(**{field: value})
    assert error.value.code == "money"
