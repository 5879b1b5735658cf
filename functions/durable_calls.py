"""The durable engine as the use cases see it."""

from __future__ import annotations

import asyncio
import logging

import azure.durable_functions as df
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from functions.names import CALL
from shared.domain.errors import StoreError
from shared.domain.steps import CallRequest, heard_event

logger = logging.getLogger(__name__)

_ATTEMPTS = 3
_PAUSE_S = 0.1
_START_DEADLINE_S = 8.0
"""Within what a carrier waits for the answer to its webhook."""
_EVENT_DEADLINE_S = 5.0
"""The SDK itself would wait for minutes, and frames of audio are not heard meanwhile."""


class DurableCalls:
    """Fills the port `Orchestrations` with one invocation's durable client."""

    def __init__(self, client: df.DurableOrchestrationClient) -> None:
        self._client = client

    async def start_call(self, request: CallRequest) -> None:
        try:
            async with asyncio.timeout(_START_DEADLINE_S):
                if await self._is_running(request.call_id):
                    return
                try:
                    await self._client.start_new(CALL, request.call_id, request.to_json())
                except Exception:
                    # The same webhook, at the same moment, may have been quicker.
                    if not await self._is_running(request.call_id):
                        raise
        except Exception as error:
            raise StoreError("engine_refused", "the call could not be started", retryable=True) from error

    async def _is_running(self, call_id: str) -> bool:
        status = await self._client.get_status(call_id)
        return status.runtime_status in (Status.Pending, Status.Running)

    async def speech_began(self, call_id: str, turn: int) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout(_EVENT_DEADLINE_S):
                    await self._client.raise_event(call_id, heard_event(turn), {"turn": turn})
            except Exception as error:
                logger.warning("call %s turn %d: event not raised: %s", call_id, turn, type(error).__name__)
                if attempt == _ATTEMPTS:
                    raise StoreError("engine_refused", "speech was not announced", retryable=True) from error
                await asyncio.sleep(_PAUSE_S * attempt)
            else:
                return
