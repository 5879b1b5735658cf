"""One socket for all commands: nobody gets another's reply, nobody waits for ever, nothing is done twice unasked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.adapters.redis.connection import RedisConnection, connect
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.wire import pack
from shared.domain.errors import InvalidRequest, StoreError
from tests.services import free_port
from tests.shared.adapters.redis.redis_script import Answer, Command, ScriptedRedis, scripted_redis


async def echo(command: Command, writer: asyncio.StreamWriter) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(command[-1]), command[-1])


@asynccontextmanager
async def connected(answer: Answer, deadline_s: float = 2.0) -> AsyncIterator[tuple[ScriptedRedis, RedisConnection]]:
    async with scripted_redis(answer) as server:
        connection = connect(f"redis://127.0.0.1:{server.port}", deadline_s=deadline_s)
        try:
            yield server, connection
        finally:
            await connection.aclose()


async def test_commands_of_one_tick_leave_in_one_write() -> None:
    async with connected(echo) as (server, connection):
        assert await connection.ask("first", pack(("ECHO", "0"))) == b"0"
        replies = await asyncio.gather(*(connection.ask("many", pack(("ECHO", n))) for n in range(50)))
        assert replies == [str(n).encode() for n in range(50)]
        assert server.chunks == [1, 50]
        assert server.connections == 1


async def test_several_commands_are_one_answer() -> None:
    async def answer(command: Command, writer: asyncio.StreamWriter) -> bytes:
        return b"-ERR no\r\n" if command[-1] == b"1" else await echo(command, writer)

    async with connected(answer) as (_, connection):
        commands = [pack(("ECHO", n)) for n in range(3)]
        several, single = connection.ask_all("several", commands), connection.ask("single", commands[0])
        first, refused, last = await several
        assert (first, str(refused), last) == (b"0", "ERR no", b"2")
        assert await single == b"0"
        with pytest.raises(StoreError, match="redis_refused: alone: ERR no") as error:
            await connection.ask("alone", commands[1])
        assert not error.value.retryable


async def test_the_reply_to_one_who_has_gone_goes_to_nobody_else() -> None:
    async def answer(command: Command, writer: asyncio.StreamWriter) -> bytes:
        await asyncio.sleep(0.02)
        return await echo(command, writer)

    async with connected(answer) as (server, connection):
        asked = [connection.ask("x", pack(("ECHO", n))) for n in range(6)]
        await asyncio.sleep(0.05)
        asked[2].cancel()
        asked[4].cancel()
        unsent = connection.ask("never sent", pack(("ECHO", "unsent")))
        unsent.cancel()
        kept = [asked[n] for n in (0, 1, 3, 5)]
        assert await asyncio.gather(*kept) == [b"0", b"1", b"3", b"5"]
        assert await connection.ask("x", pack(("ECHO", "last"))) == b"last"
        assert [b"ECHO", b"unsent"] not in server.commands


async def test_what_was_in_flight_is_asked_once_more_where_that_is_harmless() -> None:
    broken = 0

    async def answer(command: Command, writer: asyncio.StreamWriter) -> bytes | None:
        nonlocal broken
        if command[1] == b"break" and broken < 1:
            broken += 1
            writer.transport.abort()
            return None
        return await echo(command, writer)

    async with connected(answer) as (server, connection):
        harmless = connection.ask("append", pack(("ECHO", "break")))
        harmful = connection.ask("count", pack(("ECHO", "harmful")), again=False)
        later = connection.ask_all("both", [pack(("ECHO", "1")), pack(("ECHO", "2"))])
        outcomes = await asyncio.gather(harmless, harmful, later, return_exceptions=True)
        assert outcomes[0] == b"break"
        assert isinstance(outcomes[1], StoreError)
        assert outcomes[1].retryable
        assert outcomes[2] == [b"1", b"2"]
        assert server.connections == 2
        assert server.commands.count([b"ECHO", b"harmful"]) <= 1


async def test_what_breaks_the_connection_twice_is_told() -> None:
    async def answer(command: Command, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with connected(answer) as (server, connection):
        with pytest.raises(StoreError, match="redis_unavailable: append: ") as error:
            await connection.ask("append", pack(("XADD",)))
        assert error.value.retryable
        assert server.connections == 2


async def test_silence_ends_at_the_deadline_for_all_in_flight() -> None:
    silent = True

    async def answer(command: Command, writer: asyncio.StreamWriter) -> bytes | None:
        return None if silent else await echo(command, writer)

    async with connected(answer, deadline_s=0.2) as (server, connection):
        began = time.monotonic()
        asked = (connection.ask("x", pack(("ECHO", n)), again=bool(n % 2)) for n in range(10))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert time.monotonic() - began < 0.6
        assert all(isinstance(outcome, StoreError) and outcome.retryable for outcome in outcomes)
        silent = False
        assert await connection.ask("x", pack(("ECHO", "1"))) == b"1"
        assert server.connections == 2


async def test_one_who_came_later_is_asked_again_when_an_older_one_gets_no_answer() -> None:
    async def answer(command: Command, writer: asyncio.StreamWriter) -> bytes | None:
        return None if server.connections == 1 else await echo(command, writer)

    async with connected(answer, deadline_s=0.3) as (server, connection):
        older = connection.ask("older", pack(("ECHO", "older")))
        await asyncio.sleep(0.2)
        later = connection.ask("later", pack(("ECHO", "later")))
        with pytest.raises(StoreError, match="no answer in time"):
            await older
        assert await later == b"later"


@pytest.mark.parametrize("noise", [b"?what\r\n", b"*1\r\n+a\r\n+b\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_what_is_no_answer_closes_the_connection(noise: bytes) -> None:
    async def answer(command: Command, writer: asyncio.StreamWriter) -> bytes:
        return noise if server.connections == 1 else await echo(command, writer)

    async with connected(answer, deadline_s=0.5) as (server, connection):
        await asyncio.gather(connection.ask("x", pack(("ECHO", 1)), again=False), return_exceptions=True)
        await asyncio.sleep(0.02)
        assert await connection.ask("x", pack(("ECHO", 2))) == b"2"
        assert server.connections == 2


async def test_a_server_that_refuses_the_greeting_is_told_with_its_reason() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"-LOADING Redis is loading the dataset in memory\r\n" * 2)
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        connection = connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(StoreError, match="LOADING") as error:
            await connection.ask("x", pack(("PING",)))
        assert error.value.retryable
        await connection.aclose()


async def test_nobody_there_is_told_soon_and_whoever_comes_later_is_found() -> None:
    port = free_port()
    connection = connect(f"redis://127.0.0.1:{port}")
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(StoreError, match="ConnectionRefusedError") as error:
            await connection.ask("x", pack(("PING",)))
        assert error.value.retryable
        assert time.monotonic() - began < 1.0
    async with scripted_redis(echo) as script:
        moved = connect(f"redis://127.0.0.1:{script.port}")
        assert await moved.ask("x", pack(("ECHO", "1"))) == b"1"
        await moved.aclose()
    await connection.aclose()


async def test_closing_tells_those_who_wait_and_it_may_be_used_again() -> None:
    answering = False

    async def answer(command: Command, writer: asyncio.StreamWriter) -> bytes | None:
        return await echo(command, writer) if answering else None

    async with connected(answer) as (_, connection):
        waiting = connection.ask("x", pack(("ECHO", "1")))
        await asyncio.sleep(0.05)
        await connection.aclose()
        with pytest.raises(StoreError, match="closed"):
            await waiting
        answering = True
        assert await connection.ask("x", pack(("ECHO", "2"))) == b"2"


async def test_many_frames_leave_together_and_others_take_them_along() -> None:
    async with connected(echo) as (server, connection):
        pace = Pace(longest_s=0.2, quiet_per_s=10.0)
        await connection.ask("x", pack(("ECHO", "0")))
        server.chunks.clear()
        frames = [connection.ask("frame", pack(("ECHO", "f")), pace=pace)]  # the first finds the line quiet
        frames += [connection.ask("frame", pack(("ECHO", "f")), pace=pace) for _ in range(9)]
        await asyncio.gather(*frames)
        began = time.monotonic()
        held = [connection.ask("frame", pack(("ECHO", "f")), pace=pace) for _ in range(5)]
        await connection.ask("other", pack(("ECHO", "o")))
        assert time.monotonic() - began < 0.1
        await asyncio.gather(*held)
        assert server.chunks[-1] == 6
        alone = connection.ask("frame", pack(("ECHO", "f")), pace=pace)
        assert await alone == b"f"


async def test_another_event_loop_gets_a_connection_anew() -> None:
    async with scripted_redis(echo) as server:
        connection = connect(f"redis://127.0.0.1:{server.port}")

        async def ask() -> bytes:
            answer: bytes = await connection.ask("x", pack(("ECHO", "1")))
            connection.interrupt("the loop ends")
            return answer

        for _ in range(2):
            assert await asyncio.to_thread(asyncio.run, ask()) == b"1"
        assert server.connections == 2


@pytest.mark.parametrize(
    "url",
    ["", "http://here", "redis://", "redis://host:port", "redis://host/name", "redis://host:99999", "unix:///socket"],
)
def test_a_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        connect(url.replace("//", "//user:secret@", 1))
    assert "secret" not in str(error.value)
