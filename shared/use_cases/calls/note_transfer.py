"""What becomes of a transfer: the caller is with somebody else, or back with the agent."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.domain.call import EndReason
from shared.domain.telephony.events import TransferEnded
from shared.ports.call_store import CallStore
from shared.ports.live_calls import LiveCalls
from shared.use_cases.calls.allow_transfer import AllowTransfer
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.texting.transfer_orders import TransferOrders

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NoteTransfer:
    call_store: CallStore
    live_calls: LiveCalls
    end_call: EndCall
    orders: TransferOrders
    allow_transfer: AllowTransfer

    async def __call__(self, event: TransferEnded) -> None:
        """May come twice, and late: what has ended stays so. Raises: StoreError."""
        call = await self.call_store.of_provider(event.provider, event.provider_call_id)
        if call is not None and not event.was_answered:
            await self.allow_transfer.over(call.tenant_id, call.call_id)
        live = None if call is None else await self.live_calls.get(call.call_id)
        if live is None or live.end_reason:
            return
        if event.was_answered:
            await self.end_call.note(live.call_id, EndReason.TRANSFERRED)
            return
        logger.info("call %s: nobody has taken the transfer, the agent goes on", live.call_id)
        await self.live_calls.leave(live.call_id, "")
        await self.orders.ended(live.call_id)
