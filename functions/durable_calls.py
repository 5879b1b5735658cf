"""The durable engine as the use cases see it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import azure.durable_functions as df
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from functions.names import AFTER_CALL, CALL, DELIVER_WEBHOOK, DIAL, FETCH_RECORDING, FOLLOW_CALL
from functions.starting import is_at_work, start_once
from shared.domain.after_call.records import DeliveryRequest, after_call_instance, delivery_instance
from shared.domain.errors import StoreError
from shared.domain.steps import (
    ANSWERED_EVENT,
    OVER_EVENT,
    CallRequest,
    FetchRequest,
    ListenAlongRequest,
    dial_instance,
    fetch_instance,
    heard_event,
    listen_along_instance,
    watch_instance,
)

logger = logging.getLogger(__name__)

_ATTEMPTS = 3
_PAUSE_S = 0.1
_START_DEADLINE_S = 8.0
"""Within what a carrier waits for the answer to its webhook."""
_IS_OVER = "is gone: either completed or failed"
"""How the SDK words the host's 410. Source: `DurableOrchestrationClient.raise_event` in azure-functions-durable."""
_EVENT_DEADLINE_S = 5.0
"""The SDK itself would wait for minutes, and frames of audio are not heard meanwhile."""

_RUNNING = (Status.Pending, Status.Running)


class DurableCalls:
    """Fills the port `Orchestrations` with one invocation's durable client."""

    def __init__(self, client: df.DurableOrchestrationClient) -> None:
        self._client = client

    async def start_call(self, request: CallRequest) -> None:
        what = "the call could not be started"
        await self._begin(CALL, request.call_id, request.to_json(), what, within_s=_START_DEADLINE_S)

    async def start_dial(self, request: CallRequest) -> None:
        what = "the call could not be dialled"
        await self._begin(DIAL, dial_instance(request.call_id), request.to_json(), what, within_s=_START_DEADLINE_S)

    async def start_following(self, request: ListenAlongRequest) -> None:
        """Listen along with a call. One that cannot be followed is not worse for it."""
        instance_id = listen_along_instance(request.call_id)
        await self._begin(FOLLOW_CALL, instance_id, request.to_json(), "the call could not be followed")

    async def start_fetching(self, request: FetchRequest) -> None:
        instance_id = fetch_instance(request.call_id, request.name)
        await self._begin(FETCH_RECORDING, instance_id, request.to_json(), "the recording could not be fetched")

    async def start_after_call(self, request: CallRequest) -> None:
        instance_id = after_call_instance(request.call_id)
        await self._begin(AFTER_CALL, instance_id, request.to_json(), f"{AFTER_CALL} could not be started")

    async def start_delivery(self, request: DeliveryRequest) -> None:
        instance_id = delivery_instance(request.delivery_id)
        await self._begin(DELIVER_WEBHOOK, instance_id, request.to_json(), f"{DELIVER_WEBHOOK} could not be started")

    async def _begin(
        self, orchestrator: str, instance_id: str, content: Any, failing: str, *, within_s: float = _EVENT_DEADLINE_S
    ) -> None:
        """`failing`: what is said of it where it cannot be begun."""
        try:
            async with asyncio.timeout(within_s):
                await start_once(self._client, orchestrator, instance_id, content, at_work=_RUNNING)
        except Exception as error:
            raise StoreError("engine_refused", failing, retryable=True) from error

    async def is_running(self, call_id: str) -> bool:
        try:
            async with asyncio.timeout(_EVENT_DEADLINE_S):
                return await is_at_work(self._client, call_id, _RUNNING)
        except Exception as error:
            raise StoreError("engine_refused", "the engine does not answer", retryable=True) from error

    async def speech_began(self, call_id: str, turn: int) -> None:
        await self._raise(call_id, heard_event(turn), turn, f"call {call_id} turn {turn}")

    async def turn_over(self, call_id: str, turn: int, limit_ms: int) -> None:
        instance_id = watch_instance(call_id, turn)
        await self._raise(instance_id, OVER_EVENT, limit_ms, f"call {call_id} turn {turn}")

    async def turn_answered(self, call_id: str, turn: int) -> None:
        instance_id = watch_instance(call_id, turn)
        await self._raise(instance_id, ANSWERED_EVENT, turn, f"call {call_id} turn {turn}")

    async def _raise(self, instance_id: str, event: str, content: int, whose: str) -> None:
        """`content` arrives as a number or as its digits: the SDK encodes it twice."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout(_EVENT_DEADLINE_S):
                    await self._client.raise_event(instance_id, event, content)
            except Exception as error:
                if _IS_OVER in str(error):
                    return  # nobody waits for it any more
                logger.warning("%s: event %s not raised: %s", whose, event, type(error).__name__)
                if attempt == _ATTEMPTS:
                    raise StoreError("engine_refused", f"{event} was not announced", retryable=True) from error
                await asyncio.sleep(_PAUSE_S * attempt)
            else:
                return
