"""A transfer dials somebody at our expense: whether it may, how long, and that it counts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from shared.domain.errors import Forbidden, StoreError
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.outbound import Leg
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall
from shared.ports.outbound_calls import OutboundCalls

_RESERVING = 8
"""So often another call may be quicker before we give up."""
_HOW_TO_ALLOW = (
    "; an administrator allows it by the tenant's outbound policy, or by the agent's hand_over_numbers or transfer "
    "destinations"
)


@dataclass(frozen=True, slots=True)
class AllowTransfer:
    """What the tenant may dial holds for the other end of a transfer as for any call that is placed. A number that an
    administrator has written into the agent is trusted: it may be dialled at any time, and counts with the others.
    """

    directory: Directory
    outbound_calls: OutboundCalls
    clock: Clock

    async def __call__(self, live: LiveCall, transfer: Transfer) -> Transfer:
        """The transfer, with how long it may last; it is on record then.

        Raises: Forbidden for whom and when, Conflict for how many and how much, StoreError.
        """
        agent = await self.directory.agent(live.tenant_id, live.agent_id, live.agent_version)
        is_trusted = agent is not None and agent.trusts(transfer.to)
        for _ in range(_RESERVING):
            now = self.clock.now()
            policy, usage = await self.outbound_calls.standing(live.tenant_id, now)
            try:
                allowance = policy.reckon(transfer.to) if is_trusted else policy.allow(transfer.to, now, usage)
            except Forbidden as error:
                raise Forbidden(error.code, error.message + _HOW_TO_ALLOW) from None
            leg = Leg(
                leg_id=str(uuid.uuid4()),
                tenant_id=live.tenant_id,
                call_id=live.call_id,
                number=transfer.to,
                allowance=allowance,
                ring_s=transfer.ring_s,
                begun_at=now,
            )
            if await self.outbound_calls.add_leg(leg, None if is_trusted else usage):
                return replace(transfer, longest_s=0 if is_trusted else allowance.longest_s)
        raise StoreError("reservation_busy", "too many calls are placed at the same moment", retryable=True)

    async def over(self, tenant_id: str, call_id: str) -> None:
        """Nothing has come of it, so it costs nothing. Raises: StoreError."""
        await self.outbound_calls.end_legs(tenant_id, call_id, self.clock.now())
