"""How the stores get in without a password: by the token of a managed identity, as App Service hands it out.

Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from psycopg.conninfo import make_conninfo

from shared.adapters.azure_blob.address import BlobAddress
from shared.adapters.azure_blob.file_store import AzureBlobFileStore
from shared.adapters.postgres.entra import EntraPassword
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.errors import StoreError
from tests.services import free_port, migrate


@pytest.fixture
async def asked(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[tuple[str, str]]]:
    """(resource, client id) of each token that the identity endpoint was asked for."""
    asked: list[tuple[str, str]] = []

    async def token(request: web.Request) -> web.Response:
        if request.headers.get("X-IDENTITY-HEADER") != "local":
            return web.Response(status=401)
        resource = request.query["resource"]
        asked.append((resource, request.query.get("client_id", "")))
        expires = str(int(time.time()) + 86_400)
        body = {"access_token": f"token-{len(asked)}", "expires_on": expires, "token_type": "Bearer"}
        return web.json_response({**body, "resource": resource})

    app = web.Application()
    app.router.add_get("/msi/token", token)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    yield asked
    await runner.cleanup()


async def test_postgres_lets_in_by_token(asked: list[tuple[str, str]], postgres_dsn: str) -> None:
    password = EntraPassword("identity-of-the-app")
    pool = PostgresPool(make_conninfo(postgres_dsn, sslmode="disable"), password=password)
    assert not asked
    await asyncio.gather(*(pool.execute("select pg_sleep(0.05)", repeatable=True) for _ in range(3)))
    assert set(asked) == {("https://ossrdbms-aad.database.windows.net", "identity-of-the-app")}
    before = len(asked)
    assert (await password()).startswith("token-")
    assert len(asked) == before  # the SDK keeps a token that is valid for hours
    await pool.aclose()
    await password.aclose()


async def test_migrations_get_in_by_token(
    asked: list[tuple[str, str]], postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "identity-of-the-migrator")
    dsn = make_conninfo(postgres_dsn, sslmode="disable")
    done = await asyncio.to_thread(migrate, dsn, "current", auth="entra")
    assert done.returncode == 0, done.stderr
    assert asked == [("https://ossrdbms-aad.database.windows.net", "identity-of-the-migrator")]


async def test_files_are_asked_for_by_token(asked: list[tuple[str, str]]) -> None:
    address = BlobAddress("any", account_url=f"https://127.0.0.1:{free_port()}", client_id="identity-of-the-app")
    store = AzureBlobFileStore(address, timeout_s=2.0)
    with pytest.raises(StoreError) as unreachable:
        await store.ping()
    assert unreachable.value.retryable
    assert asked == [("https://storage.azure.com", "identity-of-the-app")]
    await store.aclose()
