"""Ends outbound calls that last longer than the tenant's money allows: not every provider can be told a limit."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.domain.call import EndReason
from shared.domain.errors import VoiceAgentError
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.outbound_calls import OutboundCalls
from shared.use_cases.calls.end_call import EndCall

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndOverdue:
    call_store: CallStore
    outbound_calls: OutboundCalls
    end_call: EndCall
    clock: Clock

    async def __call__(self) -> None:
        """What cannot be ended now is ended the next time."""
        for tenant_id, call_id in await self.outbound_calls.overdue(self.clock.now()):
            call = await self.call_store.get(tenant_id, call_id)
            if call is None:
                continue
            logger.warning("call %s: it lasts longer than it may cost, and is ended", call_id)
            try:
                await self.end_call.at_once(call, EndReason.SPENT)
            except VoiceAgentError as error:
                logger.warning("call %s could not be ended: %s", call_id, error)
