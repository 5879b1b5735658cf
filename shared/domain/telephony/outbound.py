"""Whom a tenant may dial, when, how many at once and for how much money; and one attempt to do so.

The money is an estimate by the tenant's own prices a minute: what an open call may cost at most is held back, so that
all calls together never cost more than the day's limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.call import Call
from shared.domain.errors import Conflict, Forbidden, InvalidRequest
from shared.domain.telephony.commands import Dial, Voicemail

_EVERY_DAY = frozenset(range(1, 8))
_DAY_MINUTES = 24 * 60
_MOST_PREFIXES = 300
_FINEST = Decimal("0.0001")
"""So fine is money kept: what is finer would be rounded, perhaps to nothing."""


@dataclass(frozen=True, slots=True)
class Usage:
    """`open_calls`: how many outbound calls, and other ends of transfers, have not ended. `spent`: of today, with
    what open ones hold back.

    `reservations`: how many the tenant has ever made, by which two that come at the same moment are told apart.
    """

    open_calls: int = 0
    spent: Decimal = Decimal(0)
    reservations: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """`longest_s`: so long the call may last, in whole minutes."""

    longest_s: int
    minute_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundPolicy:
    """What a tenant may dial; as it stands here, nothing.

    `prefixes`: of numbers that may be dialled, E.164 with `+`. Calls begin on `weekdays` (ISO: Monday is 1) from
    `from_minute` until `until_minute` of the day in `time_zone` (IANA). `minute_prices`: by prefix, the longest that
    fits counts; `+` fits all. `daily_spend`: in the currency of those prices, for a day of that time zone.
    """

    prefixes: tuple[str, ...] = ()
    time_zone: str = "UTC"
    weekdays: frozenset[int] = _EVERY_DAY
    from_minute: int = 0
    until_minute: int = _DAY_MINUTES
    most_at_once: int = 0
    longest_s: int = 900
    daily_spend: Decimal = Decimal(0)
    minute_prices: Mapping[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises: InvalidRequest that names the field."""
        if len(self.prefixes) > _MOST_PREFIXES or not all(_is_prefix(prefix) for prefix in self.prefixes):
            raise InvalidRequest("prefixes", f"prefixes are + and digits, at most {_MOST_PREFIXES} of them")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidRequest("time_zone", "time_zone is the IANA name of a time zone") from None
        if not self.weekdays <= _EVERY_DAY:
            raise InvalidRequest("weekdays", "weekdays are 1 (Monday) to 7 (Sunday)")
        if not 0 <= self.from_minute < self.until_minute <= _DAY_MINUTES:
            raise InvalidRequest("calling_window", f"from_minute is before until_minute, both 0 to {_DAY_MINUTES}")
        if not 0 <= self.most_at_once <= 10_000:
            raise InvalidRequest("most_at_once", "most_at_once is 0 to 10000")
        if not 60 <= self.longest_s <= 14_400:
            raise InvalidRequest("longest_s", "longest_s is 60 to 14400")
        prices = (self.daily_spend, *self.minute_prices.values())
        if not all(_is_money(price) for price in prices):
            raise InvalidRequest(
                "money", "daily_spend and minute_prices are amounts of money, none below 0, with at most 4 decimals"
            )
        if not all(prefix == "+" or _is_prefix(prefix) for prefix in self.minute_prices):
            raise InvalidRequest("minute_prices", "minute_prices are by prefix; + fits every number")

    def allow(self, to: str, at: datetime, usage: Usage) -> Allowance:
        """Raises: Forbidden for whom and when, Conflict for how many and how much."""
        if not any(to.startswith(prefix) for prefix in self.prefixes):
            raise Forbidden("destination_not_allowed", "numbers that begin so may not be dialled")
        local = at.astimezone(ZoneInfo(self.time_zone))
        if (
            local.isoweekday() not in self.weekdays
            or not self.from_minute <= local.hour * 60 + local.minute < self.until_minute
        ):
            raise Forbidden("outside_calling_window", "nobody is called at this time")
        if usage.open_calls >= self.most_at_once:
            raise Conflict("too_many_calls", f"no more than {self.most_at_once} outbound calls at once")
        price = self.minute_price(to)
        minutes = self.longest_s // 60
        if price:
            affordable = ((self.daily_spend - usage.spent) / price).to_integral_value(ROUND_DOWN)
            minutes = int(min(affordable, Decimal(minutes)))
        if minutes < 1:
            raise Conflict("spend_limit", "what may be spent on a day is spent")
        return Allowance(minutes * 60, price)

    def reckon(self, to: str) -> Allowance:
        """What a call costs that is trusted whatever stands here; nothing where nobody has said what it does."""
        known = any(to.startswith(prefix) for prefix in self.minute_prices)
        return Allowance(self.longest_s // 60 * 60, self.minute_price(to) if known else Decimal(0))

    def minute_price(self, to: str) -> Decimal:
        """Raises: Forbidden where nobody has said what it costs."""
        fitting = [prefix for prefix in self.minute_prices if to.startswith(prefix)]
        if not fitting:
            raise Forbidden("price_unknown", "what a minute to this number costs is not known")
        return self.minute_prices[max(fitting, key=len)]


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < Decimal(10**8) and amount == amount.quantize(_FINEST)


def _is_prefix(text: str) -> bool:
    digits = text.removeprefix("+")
    return text != digits and digits.isascii() and digits.isdecimal() and len(digits) <= 15 and digits[0] != "0"


class AttemptState(StrEnum):
    PLANNED = "planned"
    """The provider has not been asked."""
    DIALLING = "dialling"
    """Somebody is asking it, or has died over it."""
    DIALLED = "dialled"
    UNCERTAIN = "uncertain"
    """It was asked and did not answer: it may have begun the call."""
    FAILED = "failed"
    """It has certainly not begun the call."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The other end of a transfer, which is dialled as an outbound call is."""

    leg_id: str
    tenant_id: str
    call_id: str
    number: str
    allowance: Allowance
    ring_s: int
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call that is to be placed, at most once. `fingerprint` tells whether a repeated request is the same."""

    attempt_id: str
    tenant_id: str
    call_id: str
    fingerprint: str
    allowance: Allowance
    idempotency_key: str = ""
    state: AttemptState = AttemptState.PLANNED
    ring_s: int = 30
    voicemail: Voicemail = Voicemail.IGNORE
    message: str = ""

    def dial(self, call: Call) -> Dial:
        return Dial(
            attempt_id=self.attempt_id,
            call_id=self.call_id,
            to=call.callee,
            caller_id=call.caller,
            ring_s=self.ring_s,
            longest_s=self.allowance.longest_s,
            voicemail=self.voicemail,
            message=self.message,
            asked_ms=call.started_at.timestamp() * 1000,
            tenant_id=self.tenant_id,
        )
