"""The durable engine as the keeping of documents sees it."""

from __future__ import annotations

import asyncio

import azure.durable_functions as df
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from functions.names import INGEST
from functions.starting import start_once
from shared.domain.errors import StoreError
from shared.domain.knowledge.documents import IngestRequest

_DEADLINE_S = 8.0
_AT_WORK = (Status.Pending, Status.Running, Status.ContinuedAsNew)


class DurableIngestions:
    """Fills the port `Ingestions` with one invocation's durable client."""

    def __init__(self, client: df.DurableOrchestrationClient) -> None:
        self._client = client

    async def start(self, request: IngestRequest) -> bool:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                instance_id = request.key.instance_id
                return await start_once(self._client, INGEST, instance_id, request.to_json(), at_work=_AT_WORK)
        except Exception as error:
            message = "the document's ingestion could not be started"
            raise StoreError("engine_refused", message, retryable=True) from error
