"""A provider tells what becomes of a call: one state machine over all of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.call import Call, EndReason
from shared.domain.telephony.events import AnsweredBy, CallAnsweredBy, CallProgressed
from shared.domain.telephony.progress import CallState
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCalls
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.calls.meet_machine import MeetMachine

logger = logging.getLogger(__name__)

_REASONS: Mapping[CallState, EndReason] = {
    CallState.COMPLETED: EndReason.CALLER_HUNG_UP,
    CallState.BUSY: EndReason.BUSY,
    CallState.NO_ANSWER: EndReason.NO_ANSWER,
    CallState.CANCELED: EndReason.CANCELED,
    CallState.FAILED: EndReason.FAILED,
}
_MACHINES = (AnsweredBy.MACHINE, AnsweredBy.FAX)


@dataclass(frozen=True, slots=True)
class NoteProgress:
    call_store: CallStore
    live_calls: LiveCalls
    end_call: EndCall
    meet_machine: MeetMachine
    clock: Clock

    async def __call__(self, event: CallProgressed | CallAnsweredBy, *, call_id: str = "") -> None:
        """Note it; told late, twice or out of order, it does no harm. A call that we do not know is passed over.

        `call_id`: ours, where the address that the provider tells it to bears one; of an outbound call the first news
        may come before the provider has told us its own. Raises: StoreError, TelephonyError.
        """
        call = await self._call(event, call_id)
        if call is None:
            logger.info("%s %s: a call that we do not know is passed over", event.provider, type(event).__name__)
            return
        match event:
            case CallProgressed():
                await self._progressed(call, event)
            case CallAnsweredBy():
                await self.call_store.enrich(call.tenant_id, call.call_id, answered_by=event.by)
                if event.by in _MACHINES:
                    await self.meet_machine(call, beeped=event.beeped)

    async def _call(self, event: CallProgressed | CallAnsweredBy, call_id: str) -> Call | None:
        call = await self.call_store.of_provider(event.provider, event.provider_call_id)
        if call is not None or not call_id:
            return call
        call = await self.call_store.of_id(call_id)
        if call is None or call.provider is not event.provider:
            return None
        named = await self.call_store.name(call.tenant_id, call_id, event.provider_call_id)
        return call if named else None

    async def _progressed(self, call: Call, event: CallProgressed) -> None:
        if event.duration_s is not None or event.price:
            await self.call_store.enrich(call.tenant_id, call.call_id, duration_s=event.duration_s, price=event.price)
        state = event.progress
        if not state.is_end:
            await self._advance(call, state, event.at_ms, None)
            return
        is_talking = await self.live_calls.get(call.call_id) is not None
        if state is not CallState.COMPLETED or not is_talking:  # a conversation keeps its records before it is closed
            await self._advance(call, state, event.at_ms, _REASONS[state])
        if is_talking:
            await self.end_call.note(call.call_id, _REASONS[state])

    async def _advance(self, call: Call, state: CallState, at_ms: float | None, reason: EndReason | None) -> None:
        at = self.clock.now()
        if at_ms is not None and at_ms < at.timestamp() * 1000:  # the provider's clock may be wrong, by any number
            at = datetime.fromtimestamp(max(0.0, at_ms) / 1000, UTC)
        at = max(call.started_at, at)
        await self.call_store.advance(call.tenant_id, call.call_id, state, at=at, reason=reason)
