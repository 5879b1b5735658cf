"""Calls back whom it was promised, when the time has come, within what the tenant may dial."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import Conflict, Forbidden, StoreError, VoiceAgentError
from shared.ports.callbacks import Callback, Callbacks, CallbackState
from shared.ports.clock import Clock
from shared.ports.orchestrations import Orchestrations
from shared.use_cases.calls.place_call import PlaceCall, Wish

logger = logging.getLogger(__name__)

_AGAIN_AFTER = timedelta(minutes=5)
_GIVEN_UP_AFTER = timedelta(hours=24)
"""So late nobody expects the call any more."""
_OF_THE_MOMENT = frozenset({"outside_calling_window", "too_many_calls", "spend_limit"})


@dataclass(frozen=True, slots=True)
class PlaceCallbacks:
    callbacks: Callbacks
    place_call: PlaceCall
    clock: Clock

    async def __call__(self, orchestrations: Orchestrations) -> int:
        """How many were placed. Each is dialled at most once: its id is the idempotency key. Raises: StoreError."""
        placed = 0
        for callback in await self.callbacks.due(self.clock.now()):
            placed += await self._place(callback, orchestrations)
        return placed

    async def _place(self, callback: Callback, orchestrations: Orchestrations) -> bool:
        try:
            wish = Wish(callback.to, callback.agent_id, callback.caller_id)
            key = f"callback-{callback.callback_id}"
            call_id = await self.place_call(callback.tenant_id, wish, orchestrations, idempotency_key=key)
        except VoiceAgentError as error:
            await self._put_off(callback, error)
            return False
        return await self.callbacks.move(callback, CallbackState.PLACED, call_id=call_id)

    async def _put_off(self, callback: Callback, error: VoiceAgentError) -> None:
        now = self.clock.now()
        is_of_moment = (
            error.retryable
            or isinstance(error, StoreError)
            or (isinstance(error, Forbidden | Conflict) and error.code in _OF_THE_MOMENT)
        )
        if is_of_moment and now - callback.due_at < _GIVEN_UP_AFTER:
            await self.callbacks.put_off(callback, now + _AGAIN_AFTER, error.code)
            return
        logger.warning("call back %s is not placed: %s", callback.callback_id, error.code)
        await self.callbacks.move(callback, CallbackState.FAILED, trouble=error.code)
