"""Dials, at most once: whoever comes after a try that may have got through finds out first, and never dials again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.call import Call, EndReason, end_state
from shared.domain.errors import InvalidRequest, NotFound, TelephonyError
from shared.domain.steps import CallRequest
from shared.domain.telephony.commands import DialUncertain
from shared.domain.telephony.lines import Capability, Provider
from shared.domain.telephony.outbound import Attempt, AttemptState
from shared.domain.telephony.progress import CallState
from shared.ports.call_control import CallControl
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.outbound_calls import OutboundCalls

logger = logging.getLogger(__name__)

_SOON = timedelta(minutes=3)
"""Nobody is to be called later than this after it was asked for."""


@dataclass(frozen=True, slots=True)
class DialOut:
    """Each method gives how the attempt stands then."""

    call_store: CallStore
    outbound_calls: OutboundCalls
    controls: Mapping[Provider, CallControl]
    clock: Clock

    async def __call__(self, request: CallRequest) -> AttemptState:
        """Raises: TelephonyError (retryable) where the provider certainly did not begin the call, but may later."""
        call, attempt = await self._both(request)
        if attempt.state is AttemptState.DIALLING:  # who was at it has died, perhaps after the provider was asked
            return await self._settle(call, attempt, AttemptState.UNCERTAIN)
        if attempt.state is not AttemptState.PLANNED:
            return attempt.state
        if self._is_late(call):  # the engine was away, and it may be night by now
            logger.warning("call %s is not dialled: it was asked for too long ago", call.call_id)
            return await self._forget(call, attempt)
        if await self.outbound_calls.move(attempt, AttemptState.DIALLING):
            return await self._dial(call, replace(attempt, state=AttemptState.DIALLING))
        was_called_off = call.state.is_end
        return await self._settle(call, attempt, AttemptState.FAILED) if was_called_off else AttemptState.UNCERTAIN

    async def _dial(self, call: Call, attempt: Attempt) -> AttemptState:
        try:
            provider_call_id = await self._control(call).dial(attempt.dial(call))
        except DialUncertain as error:
            logger.warning("call %s: whether it was dialled is not known: %s", call.call_id, error)
            return await self._settle(call, attempt, AttemptState.UNCERTAIN)
        except TelephonyError as error:
            if error.retryable:
                await self._settle(call, attempt, AttemptState.PLANNED)
                raise
            logger.warning("call %s is not dialled: %s", call.call_id, error)
            return await self._fail(call, attempt)
        return await self._dialled(call, attempt, provider_call_id)

    async def reconcile(self, request: CallRequest) -> AttemptState:
        """Ask the provider what became of an attempt that is uncertain. Raises: TelephonyError."""
        call, attempt = await self._both(request)
        if attempt.state not in (AttemptState.DIALLING, AttemptState.UNCERTAIN):
            return attempt.state
        if call.provider_call_id:  # somebody has answered, or the provider has told of it
            return await self._dialled(call, attempt, call.provider_call_id)
        control = self._control(call)
        is_late = call.state.is_end or self._is_late(call)
        if is_late and Capability.IDEMPOTENT_DIAL in control.capabilities:
            return attempt.state  # such a provider is asked by dialling again, and would call somebody now
        found = await control.find_dialled(attempt.dial(call))
        return await self._dialled(call, attempt, found) if found else attempt.state

    async def give_up(self, request: CallRequest) -> AttemptState:
        """The provider has been asked for as long as makes sense, and knows nothing of the call."""
        call, attempt = await self._both(request)
        if attempt.state is AttemptState.DIALLED or call.provider_call_id:
            return AttemptState.DIALLED
        return await self._fail(call, attempt)

    async def _both(self, request: CallRequest) -> tuple[Call, Attempt]:
        attempt = await self.outbound_calls.of_call(request.tenant_id, request.call_id)
        call = await self.call_store.get(request.tenant_id, request.call_id)
        if call is None or attempt is None:
            raise NotFound("call_unknown", "there is no such outbound call")
        return call, attempt

    def _control(self, call: Call) -> CallControl:
        control = self.controls.get(call.provider)
        if control is None:
            raise InvalidRequest("provider_not_set_up", f"{call.provider} places no calls here")
        return control

    async def _dialled(self, call: Call, attempt: Attempt, provider_call_id: str) -> AttemptState:
        if not await self.call_store.name(call.tenant_id, call.call_id, provider_call_id):
            logger.error("call %s: the provider knows it by two ids", call.call_id)
        await self.call_store.advance(call.tenant_id, call.call_id, CallState.QUEUED, at=self.clock.now())
        state = await self._settle(call, attempt, AttemptState.DIALLED)
        known = await self.call_store.get(call.tenant_id, call.call_id)
        if known is not None and known.state is CallState.CANCELED:  # it was called off while it was dialled
            await self._control(call).hang_up(provider_call_id)
        return state

    async def _fail(self, call: Call, attempt: Attempt) -> AttemptState:
        now, reason = self.clock.now(), EndReason.FAILED
        await self.call_store.advance(call.tenant_id, call.call_id, end_state(reason), at=now, reason=reason)
        return await self._settle(call, attempt, AttemptState.FAILED)

    def _is_late(self, call: Call) -> bool:
        return self.clock.now() - call.started_at > _SOON

    async def _forget(self, call: Call, attempt: Attempt) -> AttemptState:
        """Unless somebody dials it at this moment."""
        state = await self._settle(call, attempt, AttemptState.FAILED)
        if state is not AttemptState.FAILED:
            return AttemptState.UNCERTAIN
        return await self._fail(call, replace(attempt, state=state))

    async def _settle(self, call: Call, attempt: Attempt, state: AttemptState) -> AttemptState:
        if await self.outbound_calls.move(attempt, state):
            return state
        now = await self.outbound_calls.of_call(call.tenant_id, call.call_id)
        return now.state if now is not None else state
