"""A call ends: because the caller hung up, an operator wants it, or it cannot go on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import CallState, EndReason, Provider
from shared.domain.errors import Conflict, NotFound, VoiceAgentError
from shared.ports.call_control import CallControl
from shared.ports.call_store import CallStore
from shared.ports.live_calls import LiveCalls
from shared.ports.media_channel import MediaChannels
from shared.ports.pipes import Pipes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndCall:
    call_store: CallStore
    live_calls: LiveCalls
    pipes: Pipes
    channels: MediaChannels
    carriers: Mapping[Provider, CallControl]

    async def note(self, call_id: str, reason: EndReason) -> None:
        """The line is gone, or is about to be: every step that reads the call's pipes learns it there.

        The first reason stands; noting the end of a call that is over changes nothing.
        """
        is_new = await self.live_calls.end(call_id, reason)
        if not is_new:  # or it is, and the store's answer was lost, or the worker who was to tell it
            live = await self.live_calls.get(call_id)
            if live is None or live.end_reason != reason:
                return
        for pipe in (pipe_names.frames(call_id), pipe_names.events(call_id)):
            newest = None if is_new else await self.pipes.last(pipe)
            if newest is None or newest.fields.get(b"event") != b"end":
                await self.pipes.append(pipe, {"event": "end", "reason": reason})

    async def by_operator(self, tenant_id: str, call_id: str) -> None:
        """Hang up. Raises: NotFound, Conflict for a call that has ended, TelephonyError."""
        call = await self.call_store.get(tenant_id, call_id)
        if call is None:
            raise NotFound("call_unknown", "there is no such call")
        if call.state in (CallState.COMPLETED, CallState.FAILED):
            raise Conflict("call_ended", "the call has ended already")
        await self.note(call_id, EndReason.OPERATOR_HUNG_UP)
        await self.hang_up(call_id)

    async def hang_up(self, call_id: str) -> None:
        """Let go of the line: tell the carrier, and close the media socket, which ends the call on its own
        should the carrier's API be away.
        """
        live = await self.live_calls.get(call_id)
        if live is None:
            return
        if live.connection_id:
            channel = self.channels.open(live.provider, live.hub, live.connection_id, live.stream_id)
            try:
                await channel.show({"type": "ended", "reason": live.end_reason})
                await channel.hang_up(live.end_reason or "ended")
            except VoiceAgentError as error:
                logger.warning("call %s: the media socket could not be closed: %s", call_id, error.code)
        if live.end_reason != EndReason.CALLER_HUNG_UP and live.provider in self.carriers:
            await self.carriers[live.provider].hang_up(live.provider_call_id)
