"""One running host with the sample app for all tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.local_stack.functions_host.host_process import HostProcess, Orchestrations


@pytest.fixture(scope="session")
def sample_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    host = HostProcess(tmp_path_factory.mktemp("functions_host") / "state")
    host.start()
    yield host
    host.end()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


@pytest.fixture
def orchestrations(client: httpx.AsyncClient, sample_host: HostProcess) -> Orchestrations:
    return Orchestrations(client, sample_host)
