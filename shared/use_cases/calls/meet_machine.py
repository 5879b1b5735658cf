"""A machine answers a call that we placed: what its caller asked for in that case is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.call import OUTBOUND, Call, EndReason
from shared.domain.errors import VoiceAgentError
from shared.domain.telephony.commands import Voicemail
from shared.domain.telephony.lines import Provider
from shared.ports.call_control import CallControl
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.outbound_calls import OutboundCalls
from shared.use_cases.calls.end_call import EndCall

logger = logging.getLogger(__name__)


_LOOKS_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class MeetMachine:
    """`begins_within_s`: so long the conversation may take to begin, whose beginning and whose machine's beep a
    provider may tell at the same moment.
    """

    directory: Directory
    live_calls: LiveCalls
    outbound_calls: OutboundCalls
    controls: Mapping[Provider, CallControl]
    end_call: EndCall
    begins_within_s: float = 2.0

    async def __call__(self, call: Call, *, beeped: bool) -> None:
        """May come twice. `beeped`: the machine's greeting is over, and it records. Raises: TelephonyError."""
        attempt = None
        if call.direction == OUTBOUND and not call.state.is_end:
            attempt = await self.outbound_calls.of_call(call.tenant_id, call.call_id)
        if attempt is None or attempt.voicemail is Voicemail.IGNORE:
            return
        if attempt.voicemail is Voicemail.HANG_UP:
            await self.end_call.at_once(call, EndReason.VOICEMAIL)
        elif beeped:
            await self._leave(call, attempt.message)

    async def _leave(self, call: Call, message: str) -> None:
        """The provider speaks the message and hangs up; our part in the call is over."""
        live = await self._begun(call.call_id)
        if live is not None and (live.end_reason or live.leaving):
            return  # it was told before
        control = self.controls.get(call.provider)
        if control is None:
            logger.warning("call %s: there is nobody to leave the message with", call.call_id)
            return
        agent = await self.directory.agent(call.tenant_id, call.agent_id, call.agent_version)
        if live is not None and not await self.live_calls.leave(call.call_id, EndReason.MESSAGE_LEFT):
            return
        try:
            await control.leave_message(call.provider_call_id, message, language=agent.language if agent else "en")
        except VoiceAgentError:
            await self.live_calls.leave(call.call_id, "")
            raise
        await self.end_call.note(call.call_id, EndReason.MESSAGE_LEFT)

    async def _begun(self, call_id: str) -> LiveCall | None:
        """The conversation, also if it is just beginning; None where there is none."""
        for _ in range(round(self.begins_within_s / _LOOKS_EVERY_S)):
            if (live := await self.live_calls.get(call_id)) is not None:
                return live
            await asyncio.sleep(_LOOKS_EVERY_S)
        return await self.live_calls.get(call_id)
