"""Starts what the durable engine must run once, however many ask for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import azure.durable_functions as df
from azure.durable_functions import OrchestrationRuntimeStatus as Status


async def start_once(
    client: df.DurableOrchestrationClient,
    orchestrator: str,
    instance_id: str,
    content: Any,
    *,
    at_work: Collection[Status],
) -> bool:
    """False where the instance is at work already, which its status tells by one of `at_work`."""
    if await is_at_work(client, instance_id, at_work):
        return False
    try:
        await client.start_new(orchestrator, instance_id, content)
    except Exception:
        # The same request, at the same moment, may have been quicker.
        if not await is_at_work(client, instance_id, at_work):
            raise
        return False
    return True


async def is_at_work(client: df.DurableOrchestrationClient, instance_id: str, at_work: Collection[Status]) -> bool:
    return (await client.get_status(instance_id)).runtime_status in at_work
