"""Documents come in through the API, survive a crash in the middle, and are gone without a trace when deleted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from azure.storage.blob.aio import ContainerClient

from local_stack.supervisor.addresses import Addresses
from local_stack.supervisor.app_settings import storage_connection_string
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

PRICES = "/api/knowledge/shop/documents/prices"
ROWS = 1_200


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack.start(tmp_path_factory.mktemp("knowledge") / "state", scripted=True)
    try:
        yield stack
    finally:
        stack.stop()


@pytest.fixture
async def admin(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {stack.token('admin')}", "Content-Type": "text/csv"}
    address = stack.app_url
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
        yield client


def prices(word: str) -> bytes:
    return ("item;price\n" + "".join(f"Item {number};{word} {number}\n" for number in range(ROWS))).encode()


async def until(admin: httpx.AsyncClient, done: Callable[[int, dict[str, Any]], bool]) -> dict[str, Any]:
    deadline, seen = time.monotonic() + 60, None
    while time.monotonic() < deadline:
        try:
            answer = await admin.get(PRICES)
        except httpx.TransportError:
            await asyncio.sleep(0.2)  # the app is down
            continue
        seen = answer.json()
        if done(answer.status_code, seen):
            return dict(seen)
        await asyncio.sleep(0.05)
    raise AssertionError(f"it never came: {seen}")


async def in_the_index(stack: Stack) -> int:
    base = f"http://127.0.0.1:{stack.ports['chroma']}/api/v2/tenants/default_tenant/databases/default_database"
    async with httpx.AsyncClient(base_url=base) as chroma:
        found = (await chroma.get("/collections")).json()
        return sum([(await chroma.get(f"/collections/{each['id']}/count")).json() for each in found])


async def blobs(stack: Stack) -> list[str]:
    connection = storage_connection_string(Addresses(stack.state_dir, stack.ports))
    async with ContainerClient.from_connection_string(connection, "documents") as container:
        return [blob.name async for blob in container.list_blobs()]


def rows(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as connection:
        found = connection.execute("select count(*) from knowledge_documents").fetchone()
    assert found is not None
    return int(found[0])


async def test_a_crash_in_the_middle_costs_nothing(stack: Stack, admin: httpx.AsyncClient) -> None:
    put = await admin.put(PRICES, content=prices("costs"), params={"file_name": "prices.csv"})
    assert (put.status_code, put.json()["state"]) == (202, "queued")
    await until(admin, lambda _, seen: seen.get("passages", {}).get("done", 0) > 0)
    await asyncio.to_thread(stack.command, "restart", "app", "--kill")
    ready = await until(admin, lambda _, seen: seen.get("state") == "ready")
    assert ready["passages"] == {"done": ROWS, "total": ROWS}
    assert await in_the_index(stack) == ROWS


async def test_a_new_revision_overtakes_the_one_that_is_indexed(stack: Stack, admin: httpx.AsyncClient) -> None:
    await admin.put(PRICES, content=prices("is"))
    await until(admin, lambda _, seen: seen.get("state") == "indexing")
    assert (await admin.put(PRICES, content=prices("was"))).status_code == 202
    await until(admin, lambda _, seen: seen.get("state") == "ready")
    assert await in_the_index(stack) == ROWS
    assert len(await blobs(stack)) == 2


async def test_deleted_while_it_is_indexed_leaves_nothing(stack: Stack, admin: httpx.AsyncClient) -> None:
    await admin.put(PRICES, content=prices("will be"))
    await until(admin, lambda _, seen: seen.get("passages", {}).get("done", 0) > 0)
    assert (await admin.delete(PRICES)).status_code == 202
    await until(admin, lambda status, _: status == 404)
    assert (await in_the_index(stack), await blobs(stack), rows(stack)) == (0, [], 0)
