"""The durable engine as the keeping of documents sees it."""

from __future__ import annotations

import asyncio

import azure.durable_functions as df
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from functions.names import INGEST
from shared.domain.errors import StoreError
from shared.domain.knowledge.documents import IngestRequest

_DEADLINE_S = 8.0
_AT_WORK = (Status.Pending, Status.Running, Status.ContinuedAsNew)


class DurableIngestions:
    """Fills the port `Ingestions` with one invocation's durable client."""

    def __init__(self, client: df.DurableOrchestrationClient) -> None:
        self._client = client

    async def start(self, request: IngestRequest) -> bool:
        instance_id = request.key.instance_id
        try:
            async with asyncio.timeout(_DEADLINE_S):
                if await self._is_at_work(instance_id):
                    return False
                try:
                    await self._client.start_new(INGEST, instance_id, request.to_json())
                except Exception:
                    # The same request, at the same moment, may have been quicker.
                    if not await self._is_at_work(instance_id):
                        raise
                    return False
                return True
        except Exception as error:
            message = "the document's ingestion could not be started"
            raise StoreError("engine_refused", message, retryable=True) from error

    async def _is_at_work(self, instance_id: str) -> bool:
        return (await self._client.get_status(instance_id)).runtime_status in _AT_WORK
