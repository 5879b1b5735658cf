"""A call ends: because the caller hung up, an operator wants it, or it cannot go on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import LINE_LEFT_OPEN, Call, EndReason, end_state
from shared.domain.errors import Conflict, NotFound, VoiceAgentError
from shared.domain.telephony.lines import Capability, Provider
from shared.domain.telephony.progress import CallState
from shared.ports.call_control import CallControl
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCalls
from shared.ports.media_channel import MediaChannels
from shared.ports.pipes import Pipes

logger = logging.getLogger(__name__)


_CONSEQUENCES = (
    EndReason.CALLER_HUNG_UP,
    EndReason.ERROR,
    EndReason.NO_MEDIA,
    EndReason.SILENT,
    EndReason.TOO_LONG,
)
"""What it looks like here when the provider goes on with the call by itself."""
_LINE_GONE = LINE_LEFT_OPEN | {
    EndReason.CALLER_HUNG_UP,
    EndReason.BUSY,
    EndReason.NO_ANSWER,
    EndReason.CANCELED,
    EndReason.FAILED,
}
"""There is nothing left to hang up, or nothing of ours."""


@dataclass(frozen=True, slots=True)
class EndCall:
    call_store: CallStore
    live_calls: LiveCalls
    pipes: Pipes
    channels: MediaChannels
    carriers: Mapping[Provider, CallControl]
    clock: Clock

    async def note(self, call_id: str, reason: EndReason) -> None:
        """The line is gone, or is about to be: every step that reads the call's pipes learns it there.

        The first reason stands; noting the end of a call that is over changes nothing.
        """
        live = await self.live_calls.get(call_id)
        if live is None:
            return
        if live.leaving and reason in _CONSEQUENCES:
            reason = EndReason(live.leaving)
        is_new = await self.live_calls.end(call_id, reason)
        if not is_new:  # or it is, and the store's answer was lost, or the worker who was to tell it
            live = await self.live_calls.get(call_id)
            if live is None or live.end_reason != reason:
                return
        for pipe in pipe_names.inlets(call_id, carries_text=live.line.carries_text):
            newest = None if is_new else await self.pipes.last(pipe)
            if newest is None or newest.fields.get(b"event") != b"end":
                await self.pipes.append(pipe, {"event": "end", "reason": reason})

    async def by_operator(self, tenant_id: str, call_id: str) -> None:
        """Hang up. Raises: NotFound, Conflict for a call that has ended, TelephonyError."""
        call = await self.call_store.get(tenant_id, call_id)
        if call is None:
            raise NotFound("call_unknown", "there is no such call")
        if call.state.is_end:
            raise Conflict("call_ended", "the call has ended already")
        await self.at_once(call, EndReason.OPERATOR_HUNG_UP)

    async def at_once(self, call: Call, reason: EndReason) -> None:
        """End a call that may not have become a conversation yet: then nobody else would hang up and close it.

        Raises: TelephonyError.
        """
        await self.note(call.call_id, reason)
        if await self.live_calls.get(call.call_id) is not None:
            await self.hang_up(call.call_id)
            return
        if call.provider in self.carriers and call.provider_call_id:
            await self.carriers[call.provider].hang_up(call.provider_call_id)
        is_unanswered = call.state is not CallState.IN_PROGRESS and end_state(reason) is CallState.COMPLETED
        state = CallState.CANCELED if is_unanswered else end_state(reason)
        await self.call_store.advance(call.tenant_id, call.call_id, state, at=self.clock.now(), reason=reason)

    async def hang_up(self, call_id: str) -> None:
        """Let go of the line: tell the carrier, and close the media socket, which ends the call on its own
        should the carrier's API be away. A line that goes on without us is left alone.
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
        control = self.carriers.get(live.provider)
        if live.end_reason in _LINE_GONE or control is None or Capability.HANG_UP not in control.capabilities:
            return  # who cannot be told is told with the next answer
        await control.hang_up(live.provider_call_id)
