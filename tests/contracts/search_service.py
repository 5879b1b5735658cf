"""The stand-in for Azure AI Search on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from local_stack.azure_search.service import SearchStandIn
from shared.adapters.azure_search.address import SearchAddress
from shared.adapters.azure_search.knowledge import AzureSearchKnowledge

API_KEY = "local"


class RunningSearch:
    """What tests ask of it. `fail`: the next requests are refused."""

    def __init__(self, url: str, service: SearchStandIn) -> None:
        self.url = url
        self.service = service

    def knowledge(self, *, semantic: bool = False, api_key: str = API_KEY, **more: Any) -> AzureSearchKnowledge:
        return AzureSearchKnowledge(SearchAddress(self.url, api_key=api_key, semantic=semantic), **more)

    def fail(self, status: int, *, times: int = 1, **more: Any) -> None:
        self.service.faults += [{"status": status, **more}] * times


@asynccontextmanager
async def running_search(*, delay_s: float = 0.1) -> AsyncIterator[RunningSearch]:
    service = SearchStandIn(api_key=API_KEY, delay_s=delay_s)
    runner = web.AppRunner(service.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield RunningSearch(f"http://127.0.0.1:{runner.addresses[0][1]}", service)
    finally:
        await runner.cleanup()
