"""What follows a call, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from shared.domain.after_call.records import AnalysisRecord, DeliveryRequest, Words
from shared.domain.after_call.webhooks import Delivery, DeliveryState, Endpoint, Event, EventKind, delivery_id_of
from shared.domain.steps import CallRequest
from shared.ports.vault import Sealed
from shared.ports.web_requests import WebAnswer, WebError, WebRequest
from shared.ports.webhooks import Addressed

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
Key = tuple[str, str]


class FakeAfterCallRecords:
    """Fills the port `AfterCallRecords`. `calls`: those that there are."""

    def __init__(self, *calls: Key) -> None:
        self.calls = set(calls)
        self.kept: set[Key] = set()
        self.words: dict[Key, tuple[Words, ...]] = {}
        self.transcripts: dict[Key, str | None] = {}
        self.sealed: dict[Key, Sealed] = {}
        self.analyses: dict[Key, AnalysisRecord] = {}

    async def is_kept(self, tenant_id: str, call_id: str) -> bool:
        key = (tenant_id, call_id)
        return key not in self.calls or key in self.kept

    async def keep(
        self,
        tenant_id: str,
        call_id: str,
        *,
        words: Sequence[Words] = (),
        transcript: str | None = None,
        raw: Sealed | None = None,
        analysis: AnalysisRecord | None = None,
    ) -> bool:
        key = (tenant_id, call_id)
        if await self.is_kept(tenant_id, call_id):
            return False
        self.kept.add(key)
        self.words[key], self.transcripts[key] = tuple(words), transcript
        if raw is not None:
            self.sealed[key] = raw
        if analysis is not None:
            self.analyses[key] = replace(analysis, created_at=_NOW)
        return True

    async def analysis(self, tenant_id: str, call_id: str) -> AnalysisRecord | None:
        return self.analyses.get((tenant_id, call_id))

    async def raw(self, tenant_id: str, call_id: str) -> Sealed | None:
        return self.sealed.get((tenant_id, call_id))


class FakeWebhooks:
    """Fills the port `Webhooks`; `events` are put there by the test."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.told: set[str] = set()
        self._endpoints: dict[Key, tuple[Endpoint, Sealed]] = {}
        self._deliveries: dict[Key, Delivery] = {}
        self._beats = 0

    def put(self, tenant_id: str, endpoint: Endpoint) -> None:
        """One that is there already, with secrets that nobody can open."""
        self._endpoints[tenant_id, endpoint.endpoint_id] = (endpoint, Sealed("k", b""))

    async def endpoints(self, tenant_id: str) -> Sequence[Endpoint]:
        return [endpoint for (tenant, _), (endpoint, _) in self._endpoints.items() if tenant == tenant_id]

    async def endpoint(self, tenant_id: str, endpoint_id: str) -> tuple[Endpoint, Sealed] | None:
        return self._endpoints.get((tenant_id, endpoint_id))

    async def add(self, tenant_id: str, endpoint: Endpoint, secrets: Sealed, *, most: int) -> bool:
        if len(await self.endpoints(tenant_id)) >= most:
            return False
        self._endpoints[tenant_id, endpoint.endpoint_id] = (endpoint, secrets)
        return True

    async def set_secrets(self, tenant_id: str, endpoint_id: str, old: Sealed, new: Sealed) -> bool:
        found = self._endpoints.get((tenant_id, endpoint_id))
        if found is None or found[1].content != old.content:
            return False
        self._endpoints[tenant_id, endpoint_id] = (found[0], new)
        return True

    async def enable(self, tenant_id: str, endpoint_id: str) -> bool:
        return self._change(tenant_id, endpoint_id, disabled_reason="", failures=0)

    async def disable(self, tenant_id: str, endpoint_id: str, reason: str) -> None:
        found = self._endpoints.get((tenant_id, endpoint_id))
        if found and not found[0].disabled_reason:
            self._change(tenant_id, endpoint_id, disabled_reason=reason)

    async def remove(self, tenant_id: str, endpoint_id: str) -> bool:
        self._deliveries = {
            k: d for k, d in self._deliveries.items() if (k[0], d.endpoint_id) != (tenant_id, endpoint_id)
        }
        return self._endpoints.pop((tenant_id, endpoint_id), None) is not None

    async def untold(self, *, limit: int) -> Sequence[Event]:
        return [event for event in self.events.values() if event.event_id not in self.told][:limit]

    async def listening(self, tenant_id: str, kind: EventKind) -> Sequence[str]:
        found = await self.endpoints(tenant_id)
        return sorted(each.endpoint_id for each in found if kind in each.events and not each.disabled_reason)

    async def tell(self, event: Event, bodies: Sequence[tuple[str, str]]) -> Sequence[str]:
        if event.event_id not in self.told:
            self.told.add(event.event_id)
            for endpoint_id, body in bodies:
                delivery_id = delivery_id_of(event.event_id, endpoint_id)
                self._deliveries[event.tenant_id, delivery_id] = Delivery(
                    delivery_id, endpoint_id, event.event_id, event.call_id, event.kind, DeliveryState.PENDING,
                    0, 0, "", self._now(), self._now(), body,
                )  # fmt: skip
        return sorted(
            each.delivery_id
            for each in self._deliveries.values()
            if each.event_id == event.event_id and each.state is DeliveryState.PENDING
        )

    async def addressed(self, tenant_id: str, delivery_id: str) -> Addressed | None:
        delivery = self._deliveries.get((tenant_id, delivery_id))
        return delivery and Addressed(delivery, *self._endpoints[tenant_id, delivery.endpoint_id])

    async def note(
        self,
        tenant_id: str,
        delivery_id: str,
        state: DeliveryState,
        *,
        status: int,
        fault: str,
        counts: bool = True,
        most_failures: int,
    ) -> None:
        old = self._deliveries.get((tenant_id, delivery_id))
        if old is None or old.state is not DeliveryState.PENDING:
            return
        self._deliveries[tenant_id, delivery_id] = replace(
            old,
            state=state,
            attempts=old.attempts + counts,
            last_status=status,
            last_fault=fault,
            updated_at=self._now(),
        )
        endpoint = self._endpoints[tenant_id, old.endpoint_id][0]
        failures = 0 if state is DeliveryState.DELIVERED else endpoint.failures + counts
        reason = endpoint.disabled_reason
        if state is not DeliveryState.DELIVERED and failures >= most_failures:
            reason = reason or "too_many_failures"
        self._change(tenant_id, old.endpoint_id, failures=failures, disabled_reason=reason)

    async def deliveries(
        self,
        tenant_id: str,
        *,
        state: DeliveryState | None = None,
        endpoint_id: str = "",
        before: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:
        found = [
            replace(each, body="")
            for (tenant, _), each in self._deliveries.items()
            if tenant == tenant_id
            and (state is None or each.state is state)
            and endpoint_id in ("", each.endpoint_id)
            and (before is None or each.created_at < before)
        ]
        return sorted(found, key=lambda each: each.created_at, reverse=True)[:limit]

    async def revive(self, tenant_id: str, delivery_id: str) -> bool:
        old = self._deliveries.get((tenant_id, delivery_id))
        if old is None:
            return False
        self._deliveries[tenant_id, delivery_id] = replace(
            old, state=DeliveryState.PENDING, attempts=0, last_fault="", updated_at=self._now()
        )
        return True

    async def forgotten(self, before: datetime, *, limit: int) -> Sequence[DeliveryRequest]:
        return [
            DeliveryRequest(tenant, each.delivery_id)
            for (tenant, _), each in self._deliveries.items()
            if each.state is DeliveryState.PENDING and each.updated_at < before
        ][:limit]

    def _change(self, tenant_id: str, endpoint_id: str, **changes: object) -> bool:
        found = self._endpoints.get((tenant_id, endpoint_id))
        if found is None:
            return False
        self._endpoints[tenant_id, endpoint_id] = (replace(found[0], **changes), found[1])  # type: ignore[arg-type]
        return True

    def _now(self) -> datetime:
        self._beats += 1
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self._beats * 1e-6, UTC)


@dataclass
class FakeAfterCallOrchestrations:
    """Fills the port `AfterCallOrchestrations`: keeps what was started."""

    calls: list[CallRequest] = field(default_factory=list)
    deliveries: list[DeliveryRequest] = field(default_factory=list)

    async def start_after_call(self, request: CallRequest) -> None:
        self.calls.append(request)

    async def start_delivery(self, request: DeliveryRequest) -> None:
        self.deliveries.append(request)


class FakeWeb:
    """Fills the port `WebRequests`: answers by script, and keeps what was asked."""

    def __init__(self, *script: int | WebError) -> None:
        self.asked: list[WebRequest] = []
        self._script = list(script)

    async def send(self, request: WebRequest) -> WebAnswer:
        self.asked.append(request)
        answer = self._script.pop(0)
        if isinstance(answer, WebError):
            raise answer
        return WebAnswer(answer, {}, b"")
