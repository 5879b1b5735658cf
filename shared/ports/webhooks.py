"""Whom tenants want to be told about their calls, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.after_call.records import DeliveryRequest
from shared.domain.after_call.webhooks import Delivery, DeliveryState, Endpoint, Event, EventKind
from shared.domain.steps import CallRequest
from shared.ports.vault import Sealed


@dataclass(frozen=True, slots=True)
class Addressed:
    """A delivery with its endpoint, and the secrets that sign it."""

    delivery: Delivery
    endpoint: Endpoint
    secrets: Sealed


class Webhooks(Protocol):
    """Raises `StoreError` when the store does not answer in time."""

    async def endpoints(self, tenant_id: str) -> Sequence[Endpoint]:
        """The oldest first."""
        ...

    async def endpoint(self, tenant_id: str, endpoint_id: str) -> tuple[Endpoint, Sealed] | None: ...

    async def add(self, tenant_id: str, endpoint: Endpoint, secrets: Sealed, *, most: int) -> bool:
        """False, and nothing is changed, where the tenant has `most` already. Of several that are added at the same
        moment, some more may come in.
        """
        ...

    async def set_secrets(self, tenant_id: str, endpoint_id: str, old: Sealed, new: Sealed) -> bool:
        """False if they have changed meanwhile."""
        ...

    async def enable(self, tenant_id: str, endpoint_id: str) -> bool:
        """Tell it again, from now on; False if there is none."""
        ...

    async def remove(self, tenant_id: str, endpoint_id: str) -> bool:
        """With all its deliveries."""
        ...

    async def untold(self, *, limit: int) -> Sequence[Event]:
        """Events that no delivery was made of yet, of all tenants, the oldest first."""
        ...

    async def tell(self, event: Event, bodies: Sequence[tuple[str, str]]) -> Sequence[str]:
        """Make the event's deliveries of ids of endpoints with their bodies, once; gives the ids of those that are
        pending.
        """
        ...

    async def listening(self, tenant_id: str, kind: EventKind) -> Sequence[str]:
        """Ids of the endpoints that are told of such events."""
        ...

    async def addressed(self, tenant_id: str, delivery_id: str) -> Addressed | None: ...

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
        """What an attempt has come to. Success clears the endpoint's failures, a failure that counts adds one; at
        `most_failures` the endpoint is disabled. What is delivered or dead stays so.
        """
        ...

    async def disable(self, tenant_id: str, endpoint_id: str, reason: str) -> None: ...

    async def deliveries(
        self,
        tenant_id: str,
        *,
        state: DeliveryState | None = None,
        endpoint_id: str = "",
        before: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:
        """The newest first, without bodies."""
        ...

    async def revive(self, tenant_id: str, delivery_id: str) -> bool:
        """Let a delivery begin anew, however it ended; False if there is none."""
        ...

    async def forgotten(self, before: datetime, *, limit: int) -> Sequence[DeliveryRequest]:
        """Deliveries that are pending and were last touched before this moment, of all tenants."""
        ...


class AfterCallOrchestrations(Protocol):
    """The durable engine, as it is needed after a call; what runs already is not started again.

    Raises: StoreError.
    """

    async def start_after_call(self, request: CallRequest) -> None: ...

    async def start_delivery(self, request: DeliveryRequest) -> None: ...
