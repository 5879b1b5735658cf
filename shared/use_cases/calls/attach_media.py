"""A media socket says which call it is: check its ticket and note where the audio flows."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import CallState, Provider
from shared.domain.errors import Conflict, Unauthenticated
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.pipes import Pipes


@dataclass(frozen=True, slots=True)
class AttachMedia:
    call_store: CallStore
    live_calls: LiveCalls
    pipes: Pipes
    clock: Clock

    async def by_ticket(
        self, ticket: str, *, provider_call_id: str, hub: str, connection_id: str, stream_id: str
    ) -> str:
        """Redeem a carrier's ticket; gives the call id.

        Raises: Unauthenticated for a ticket that is unknown, used, too old, or another call's.
        """
        call_id = await self.live_calls.redeem_ticket(ticket, connection_id=connection_id) if ticket else None
        live = await self.live_calls.get(call_id) if call_id else None
        if live is None or live.provider_call_id != provider_call_id:
            raise Unauthenticated("ticket", "the ticket is missing, unknown, used or too old")
        await self._attach(live, hub, connection_id, stream_id)
        return live.call_id

    async def by_call(self, call_id: str, *, hub: str, connection_id: str) -> None:
        """Attach a client that came with a token for this call. Raises: Unauthenticated, Conflict."""
        live = await self.live_calls.get(call_id)
        if live is None or live.provider is not Provider.WEB:
            raise Unauthenticated("call_unknown", "the token is for no running call")
        await self._attach(live, hub, connection_id, "")

    async def _attach(self, live: LiveCall, hub: str, connection_id: str, stream_id: str) -> None:
        now = self.clock.now()
        attached = await self.live_calls.attach(
            live.call_id,
            hub=hub,
            connection_id=connection_id,
            stream_id=stream_id,
            at_ms=int(self.clock.now_ms()),
        )
        if not attached or live.end_reason:
            raise Conflict("media_attached", "the call has ended, or its audio flows over another connection")
        for pipe in pipe_names.inlets(live.call_id, carries_text=live.line.carries_text):
            await self.pipes.append(pipe, {"event": "started"})
        await self.call_store.advance(live.tenant_id, live.call_id, CallState.IN_PROGRESS, at=now)
