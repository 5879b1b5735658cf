"""Closes calls that nobody reports on any more: their provider's last word was lost, or they never began."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.call import OUTBOUND, Call, EndReason
from shared.domain.errors import VoiceAgentError
from shared.domain.limits import CallLimits
from shared.domain.steps import CallRequest
from shared.domain.telephony.lines import Capability, Provider
from shared.domain.telephony.outbound import AttemptState
from shared.domain.telephony.progress import CallState
from shared.ports.call_control import CallControl
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.orchestrations import Orchestrations
from shared.use_cases.calls.dial_out import DialOut
from shared.use_cases.calls.end_call import EndCall

logger = logging.getLogger(__name__)

RINGING_LIMIT = timedelta(minutes=10)
_RUNNING_MARGIN = timedelta(minutes=15)
_ASKING_LIMIT = timedelta(hours=6)
"""After which a provider that does not answer is not waited for any more."""
_REASONS = {
    CallState.COMPLETED: EndReason.CALLER_HUNG_UP,
    CallState.BUSY: EndReason.BUSY,
    CallState.NO_ANSWER: EndReason.NO_ANSWER,
    CallState.CANCELED: EndReason.CANCELED,
    CallState.FAILED: EndReason.FAILED,
}


@dataclass(frozen=True, slots=True)
class CloseUnreported:
    call_store: CallStore
    controls: Mapping[Provider, CallControl]
    dial_out: DialOut
    end_call: EndCall
    limits: CallLimits
    clock: Clock

    async def __call__(self, orchestrations: Orchestrations) -> int:
        """Gives how many were closed. What cannot be settled now is left for the next time."""
        now = self.clock.now()
        running_limit = timedelta(seconds=self.limits.longest_call_s) + _RUNNING_MARGIN
        forgotten = await self.call_store.unended(ringing=now - RINGING_LIMIT, running=now - running_limit)
        closed = 0
        for call in forgotten:
            try:
                closed += await self._close(call, orchestrations)
            except VoiceAgentError as error:
                logger.warning("call %s is not closed yet: %s", call.call_id, error)
        return closed

    async def _close(self, call: Call, orchestrations: Orchestrations) -> bool:
        if await orchestrations.is_running(call.call_id):
            return False  # it closes the call itself, within its own limits
        try:
            call, told = await self._ask(call)
        except VoiceAgentError:
            if self.clock.now() - call.started_at < _ASKING_LIMIT:
                raise
            told = None
        if told is not None and told.is_end:
            state, reason = told, _REASONS[told]
        else:
            state, reason = CallState.FAILED, EndReason.UNREPORTED
            await self._let_go(call, is_open=told is not None)
        await self.end_call.note(call.call_id, reason)
        logger.warning("call %s: nobody reported its end; it is closed as %s", call.call_id, state)
        return await self.call_store.advance(call.tenant_id, call.call_id, state, at=self.clock.now(), reason=reason)

    async def _ask(self, call: Call) -> tuple[Call, CallState | None]:
        """The call, and how far it has come by the provider; None where nobody can tell."""
        control = self.controls.get(call.provider)
        if control is None:
            return call, None
        if call.direction == OUTBOUND and not call.provider_call_id and Capability.OUTBOUND in control.capabilities:
            request = CallRequest(call.tenant_id, call.call_id)
            if await self.dial_out.reconcile(request) is AttemptState.DIALLED:
                call = await self.call_store.of_id(call.call_id) or call
            else:
                await self.dial_out.give_up(request)
        return call, await control.state_of(call.provider_call_id) if call.provider_call_id else None

    async def _let_go(self, call: Call, *, is_open: bool) -> None:
        """Nobody of ours talks on this line."""
        control = self.controls.get(call.provider)
        if is_open and control is not None and Capability.HANG_UP in control.capabilities:
            await control.hang_up(call.provider_call_id)
