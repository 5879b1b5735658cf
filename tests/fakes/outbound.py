"""Tenants' numbers and their outbound calls in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.call import Call, EndReason
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.outbound import Attempt, AttemptState, Leg, OutboundPolicy, Usage
from shared.domain.telephony.progress import CallState
from shared.domain.telephony.routes import Allotment, Number, not_allotted
from tests.fakes.stores import FakeCallStore


class FakeNumbers:
    """Fills the port `Numbers`. `tenants`: how many there are; of several, each has what is `allotted` to it."""

    def __init__(self) -> None:
        self.tenants = 1
        self.allotted: dict[tuple[Provider, str], str] = {}
        self._numbers: dict[tuple[Provider, str], tuple[str, Number]] = {}

    async def all(self, tenant_id: str) -> list[Number]:
        of_tenant = [number for owner, number in self._numbers.values() if owner == tenant_id]
        return sorted(of_tenant, key=lambda number: (number.number, number.line.provider))

    async def one(self, tenant_id: str, provider: Provider, number: str) -> Number | None:
        owner, found = self._numbers.get((provider, number), ("", None))
        return found if owner == tenant_id else None

    async def put(self, tenant_id: str, number: Number) -> bool:
        key = (number.line.provider, number.number)
        owner = self._numbers.get(key, ("", None))[0]
        if self.tenants == 1:
            self.allotted.setdefault(key, tenant_id)
        if self.allotted.get(key) != tenant_id:
            raise not_allotted()
        self._numbers[key] = (tenant_id, number)
        return not owner

    async def delete(self, tenant_id: str, provider: Provider, number: str) -> bool:
        if await self.one(tenant_id, provider, number) is None:
            return False
        del self._numbers[provider, number]
        return True


class FakeNumberAllotments:
    """Fills the port `NumberAllotments`."""

    def __init__(self) -> None:
        self.allotted: dict[tuple[Provider, str], Allotment] = {}

    async def all(self) -> list[Allotment]:
        return sorted(self.allotted.values(), key=lambda one: (one.number, one.provider))

    async def put(self, allotment: Allotment) -> bool:
        key = (allotment.provider, allotment.number)
        is_new = key not in self.allotted
        self.allotted[key] = allotment
        return is_new

    async def delete(self, provider: Provider, number: str) -> bool:
        return self.allotted.pop((provider, number), None) is not None


class FakeOutboundCalls:
    """Fills the port `OutboundCalls`. `spent`: of today, besides what open calls hold back."""

    def __init__(self, call_store: FakeCallStore) -> None:
        self.policies: dict[str, OutboundPolicy] = {}
        self.spent = Decimal(0)
        self.attempts: dict[str, Attempt] = {}
        self.legs: list[Leg] = []
        self._call_store = call_store
        self._reservations: dict[str, int] = {}

    async def policy(self, tenant_id: str) -> OutboundPolicy:
        return self.policies.get(tenant_id, OutboundPolicy())

    async def save_policy(self, tenant_id: str, policy: OutboundPolicy) -> None:
        self.policies[tenant_id] = policy

    async def standing(self, tenant_id: str, at: datetime) -> tuple[OutboundPolicy, Usage]:
        if tenant_id not in self.policies:
            return OutboundPolicy(), Usage()
        open_calls = []
        for attempt in self.attempts.values():
            call = await self._call_store.get(tenant_id, attempt.call_id)
            if call is not None and not call.state.is_end:
                open_calls.append(attempt.allowance)
        for leg in self.legs:
            call = await self._call_store.get(tenant_id, leg.call_id)
            is_there = call is not None and (call.ended_at is None or call.end_reason is EndReason.TRANSFERRED)
            lasts = timedelta(seconds=leg.ring_s + leg.allowance.longest_s)
            if call is not None and is_there and call.duration_s is None and leg.begun_at + lasts > at:
                open_calls.append(leg.allowance)
        held = sum((one.minute_price * (one.longest_s // 60) for one in open_calls), Decimal(0))
        usage = Usage(len(open_calls), self.spent + held, self._reservations.get(tenant_id, 0))
        return await self.policy(tenant_id), usage

    async def reserve(self, call: Call, attempt: Attempt, usage: Usage) -> bool:
        if usage.reservations != self._reservations.get(call.tenant_id, 0):
            return False
        if attempt.idempotency_key and await self.by_key(call.tenant_id, attempt.idempotency_key):
            return False
        self._reservations[call.tenant_id] = usage.reservations + 1
        self.attempts[attempt.call_id] = attempt
        return await self._call_store.create(call)

    async def add_leg(self, leg: Leg, usage: Usage | None) -> bool:
        known = self._reservations.get(leg.tenant_id, 0)
        if usage is not None and (leg.tenant_id not in self.policies or usage.reservations != known):
            return False
        self._reservations[leg.tenant_id] = known + 1
        self.legs.append(leg)
        return True

    async def end_legs(self, tenant_id: str, call_id: str, at: datetime) -> None:
        self.legs = [leg for leg in self.legs if (leg.tenant_id, leg.call_id) != (tenant_id, call_id)]

    async def by_key(self, tenant_id: str, idempotency_key: str) -> Attempt | None:
        asked = (tenant_id, idempotency_key)
        return next((a for a in self.attempts.values() if (a.tenant_id, a.idempotency_key) == asked), None)

    async def of_call(self, tenant_id: str, call_id: str) -> Attempt | None:
        attempt = self.attempts.get(call_id)
        return attempt if attempt is not None and attempt.tenant_id == tenant_id else None

    async def overdue(self, at: datetime, limit: int = 100) -> list[tuple[str, str]]:
        found = []
        for attempt in self.attempts.values():
            call = await self._call_store.get(attempt.tenant_id, attempt.call_id)
            allowed = timedelta(seconds=attempt.ring_s + attempt.allowance.longest_s + 60)
            if call is not None and call.state is CallState.IN_PROGRESS and call.started_at + allowed < at:
                found.append((call.tenant_id, call.call_id))
        return found[:limit]

    async def move(self, attempt: Attempt, state: AttemptState) -> bool:
        known = self.attempts.get(attempt.call_id)
        call = await self._call_store.get(attempt.tenant_id, attempt.call_id)
        if known is None or (known.tenant_id, known.state) != (attempt.tenant_id, attempt.state):
            return False
        if state is AttemptState.DIALLING and (call is None or call.state.is_end):
            return False
        self.attempts[attempt.call_id] = replace(known, state=state)
        return True
