"""How the connections behind the PostgreSQL stores bear a network and a server that fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared.adapters.postgres.pool import PostgresPool
from shared.domain.errors import StoreError
from tests.contracts.tcp_proxy import TcpProxy, tcp_proxy

_WHO = "select pg_backend_pid() as pid"


@pytest.fixture
async def proxy(postgres_dsn: str) -> AsyncIterator[TcpProxy]:
    async with tcp_proxy(int(conninfo_to_dict(postgres_dsn)["port"] or 0)) as proxy:
        yield proxy


def _through(proxy: TcpProxy, dsn: str) -> str:
    return make_conninfo(dsn, port=proxy.port)


async def _pid(pool: PostgresPool, *, repeatable: bool = True) -> int:
    pid: int = (await pool.execute(_WHO, repeatable=repeatable))[0]["pid"]
    return pid


async def test_nothing_is_opened_before_it_is_needed(postgres_dsn: str, proxy: TcpProxy) -> None:
    pool = PostgresPool(_through(proxy, postgres_dsn))
    await asyncio.sleep(0)
    assert proxy.connections == 0
    first = await _pid(pool)
    assert await _pid(pool) == first
    assert proxy.connections == 1
    await pool.aclose()


async def test_connections_have_a_bound_and_waiting_has_a_deadline(postgres_dsn: str) -> None:
    pool = PostgresPool(postgres_dsn, max_connections=2, connect_timeout_s=0.3)
    sleep = "select pg_backend_pid() as pid, pg_sleep(0.15)"
    pids = await asyncio.gather(*(pool.execute(sleep, repeatable=True) for _ in range(4)))
    assert len({rows[0]["pid"] for rows in pids}) <= 2
    busy = [asyncio.create_task(pool.execute("select pg_sleep(1)", repeatable=True)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreError) as waited:
        await pool.execute("select", repeatable=True)
    assert waited.value.retryable
    await asyncio.gather(*busy)
    await pool.aclose()


@pytest.mark.parametrize("repeatable", [True, False])
async def test_a_connection_that_the_server_ended_is_not_used(postgres_dsn: str, repeatable: bool) -> None:
    pool = PostgresPool(postgres_dsn)
    pid = await _pid(pool)
    with psycopg.connect(postgres_dsn, autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(%s, 2000)", [pid])
    assert await _pid(pool, repeatable=repeatable) != pid
    await pool.aclose()


async def test_a_connection_lost_under_a_statement_is_replaced_once(postgres_dsn: str, proxy: TcpProxy) -> None:
    pool = PostgresPool(_through(proxy, postgres_dsn))
    await _pid(pool)
    proxy.freeze()
    pending = asyncio.create_task(_pid(pool))
    await asyncio.sleep(0.05)
    proxy.cut()
    proxy.thaw()
    assert await pending > 0
    assert proxy.connections == 2
    await pool.aclose()


async def test_what_must_not_be_repeated_is_not(postgres_dsn: str, proxy: TcpProxy) -> None:
    pool = PostgresPool(_through(proxy, postgres_dsn))
    await _pid(pool)
    proxy.freeze()
    pending = asyncio.create_task(_pid(pool, repeatable=False))
    await asyncio.sleep(0.05)
    proxy.cut()
    proxy.thaw()
    with pytest.raises(StoreError, match="database_unavailable") as lost:
        await pending
    assert lost.value.retryable
    assert proxy.connections == 1
    assert await _pid(pool) > 0
    await pool.aclose()


async def test_a_silent_network_costs_the_deadline_and_no_more(postgres_dsn: str, proxy: TcpProxy) -> None:
    pool = PostgresPool(_through(proxy, postgres_dsn), connect_timeout_s=0.4, statement_timeout_s=0.2)
    await _pid(pool)
    proxy.freeze()
    for _ in ("on the pooled connection", "on a new one"):
        began = time.monotonic()
        with pytest.raises(StoreError, match="database_timeout") as late:
            await _pid(pool)
        assert late.value.retryable
        assert time.monotonic() - began < 1.5
    proxy.thaw()
    assert await _pid(pool) > 0
    await pool.aclose()


async def test_a_slow_statement_is_ended_by_the_server(postgres_dsn: str) -> None:
    pool = PostgresPool(postgres_dsn, statement_timeout_s=0.1)
    pid = await _pid(pool)
    with pytest.raises(StoreError, match="database_timeout") as late:
        await pool.execute("select pg_sleep(5)", repeatable=True)
    assert late.value.retryable
    assert await _pid(pool) == pid  # the connection itself is as good as before
    await pool.aclose()


async def test_a_cancelled_statement_leaves_no_stray_answer(postgres_dsn: str) -> None:
    pool = PostgresPool(postgres_dsn, max_connections=1)
    pending = asyncio.create_task(pool.execute("select 'stray' as pid, pg_sleep(5)", repeatable=True))
    await asyncio.sleep(0.1)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    assert isinstance(await _pid(pool), int)
    await pool.aclose()


async def test_the_password_is_asked_for_each_new_connection(postgres_dsn: str) -> None:
    asked = 0

    async def password() -> str:
        nonlocal asked
        asked += 1
        return f"token-{asked}"

    pool = PostgresPool(make_conninfo(postgres_dsn, sslmode="disable"), password=password)
    await asyncio.gather(*(pool.execute("select pg_sleep(0.05)", repeatable=True) for _ in range(3)))
    assert asked == 3
    await _pid(pool)
    assert asked == 3
    await pool.aclose()


async def test_a_token_is_not_shown_to_a_server_without_tls(postgres_dsn: str) -> None:
    async def password() -> str:
        return "token"

    pool = PostgresPool(postgres_dsn, password=password)
    with pytest.raises(StoreError, match="database_unavailable"):
        await _pid(pool)
    await pool.aclose()


async def test_no_token_is_a_failure_of_the_moment(postgres_dsn: str) -> None:
    async def password() -> str:
        raise LookupError("the identity endpoint said: secret")

    pool = PostgresPool(postgres_dsn, password=password)
    with pytest.raises(StoreError, match="database_credential") as refused:
        await _pid(pool)
    assert refused.value.retryable
    assert "secret" not in str(refused.value)


def test_every_event_loop_has_connections_of_its_own(postgres_dsn: str) -> None:
    pool = PostgresPool(postgres_dsn)

    async def one_loops_life() -> int:
        pid = await _pid(pool)
        assert await _pid(pool) == pid
        await pool.aclose()
        return pid

    assert asyncio.run(one_loops_life()) != asyncio.run(one_loops_life())


async def test_old_and_idle_connections_are_left(postgres_dsn: str) -> None:
    for limits in ({"max_idle_s": 0.0}, {"max_age_s": 0.0}):
        pool = PostgresPool(postgres_dsn, **limits)
        assert await _pid(pool) != await _pid(pool)
        await pool.aclose()


def test_a_wrong_address_is_told_without_repeating_it() -> None:
    with pytest.raises(StoreError) as wrong:
        PostgresPool("postgresql://voice:secret@[host/voice")
    assert "secret" not in str(wrong.value)
    assert not wrong.value.retryable


async def test_a_database_without_our_tables_is_no_failure_of_the_moment(postgres_dsn: str) -> None:
    pool = PostgresPool(make_conninfo(postgres_dsn, dbname="postgres"))
    with pytest.raises(StoreError, match="database_schema") as missing:
        await pool.execute("select from calls limit 0", repeatable=True)
    assert not missing.value.retryable
    await pool.aclose()
