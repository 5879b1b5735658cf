"""What happened becomes a message for each endpoint that wants to know, and each is sent on its way."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.domain.after_call.analysis import speeches_of
from shared.domain.after_call.hidden_turns import redacted_turns
from shared.domain.after_call.records import DeliveryRequest
from shared.domain.after_call.webhooks import Event, EventKind, body_of
from shared.domain.call import Turn
from shared.ports.after_call_records import AfterCallRecords
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.webhooks import AfterCallOrchestrations, Webhooks

logger = logging.getLogger(__name__)

_PORTION = 100
_MOST_SPEECHES = 400
_LONGEST_SPEECH = 1_000
_FORGOTTEN_AFTER = timedelta(hours=11)
"""Longer than any pause between attempts: whoever should deliver it does not any more."""


@dataclass(frozen=True, slots=True)
class TellEvents:
    webhooks: Webhooks
    call_store: CallStore
    directory: Directory
    records: AfterCallRecords
    clock: Clock

    async def __call__(self, orchestrations: AfterCallOrchestrations) -> int:
        """Of all tenants, what nobody was told yet; gives how many events. Two that run at once do no harm.

        Raises: StoreError.
        """
        events = await self.webhooks.untold(limit=_PORTION)
        for event in events:
            for delivery_id in await self._deliveries(event):
                await orchestrations.start_delivery(DeliveryRequest(event.tenant_id, delivery_id))
        return len(events)

    async def take_up(self, orchestrations: AfterCallOrchestrations) -> None:
        """Deliveries that nobody goes on with. Raises: StoreError."""
        for request in await self.webhooks.forgotten(self.clock.now() - _FORGOTTEN_AFTER, limit=_PORTION):
            await orchestrations.start_delivery(request)

    async def _deliveries(self, event: Event) -> list[str]:
        call = await self.call_store.get(event.tenant_id, event.call_id)
        listening = await self.webhooks.listening(event.tenant_id, event.kind)
        bodies: list[tuple[str, str]] = []
        if call is not None and listening:
            agent = await self.directory.agent(event.tenant_id, call.agent_id, call.agent_version)
            redacts = agent is None or agent.after_call.redacts
            turns = redacted_turns(call.turns, greeting=agent.greeting if agent else "") if redacts else call.turns
            more = await self._more(event, turns)
            body = body_of(event, call, redacts=redacts, more=more)
            bodies = [(endpoint_id, body) for endpoint_id in listening]
        return list(await self.webhooks.tell(event, bodies))

    async def _more(self, event: Event, turns: Sequence[Turn]) -> Mapping[str, Any]:
        if event.kind is not EventKind.ANALYSED:
            return {}
        record = await self.records.analysis(event.tenant_id, event.call_id)
        speeches = speeches_of(turns)
        return {
            "analysis": dict(record.document) if record and record.document else None,
            "transcript": [
                {"turn": each.number, "speaker": each.speaker, "text": each.text[:_LONGEST_SPEECH]}
                for each in speeches[:_MOST_SPEECHES]
            ],
            "transcript_is_whole": len(speeches) <= _MOST_SPEECHES,
        }
