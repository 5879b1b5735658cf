"""The reader that all who wait share must not die of anything, or they would wait for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import hiredis
import pytest

from shared.adapters.redis.connection import KEY_LIFETIME_S
from shared.adapters.redis.stream_reader import StreamReader
from shared.domain.errors import StoreError
from shared.settings import _RANGES

Positions = dict[str, str]


class TokenExpired(Exception):
    """What an identity's library raises is none of Redis's errors."""


class FakeConnection:
    """Answers each XREAD by `answer`, which gets what is asked from where; a read that it gives None waits until it
    is woken or interrupted. Anything else is noted and done, or fails with `failure`.
    """

    def __init__(self, answer: Callable[[Positions], Any] = lambda _: None) -> None:
        self.answer = answer
        self.questions: list[Positions] = []
        self.wakes = 0
        self.interruptions = 0
        self.failure: StoreError | None = None
        self.reading: asyncio.Future[Any] | None = None

    def ask(self, what: str, command: bytes, *, again: bool = True) -> asyncio.Future[Any]:
        parser = hiredis.Reader(encoding="utf-8")
        parser.feed(command)
        words = parser.gets()
        streams = words[words.index("STREAMS") + 1 :]
        half = len(streams) // 2
        asked = dict(zip(streams[1:half], streams[half + 1 :], strict=True))
        self.questions.append(asked)
        self.reading = asyncio.get_running_loop().create_future()
        try:
            found = self.answer(asked)
        except Exception as error:  # noqa: BLE001 - as awaiting it would raise
            asyncio.get_running_loop().call_later(0.005, self.reading.set_exception, error)
        else:
            if found is not None:
                asyncio.get_running_loop().call_soon(self.reading.set_result, found)
        return self.reading

    def ask_all(self, what: str, commands: list[bytes]) -> asyncio.Future[Any]:
        self.wakes += 1
        woken = asyncio.get_running_loop().create_future()
        if self.failure is not None:
            woken.set_exception(self.failure)
        else:
            woken.set_result([b"1-0", 1])
            assert self.reading is not None
            if not self.reading.done():
                self.reading.set_result(None)
        return woken

    def interrupt(self, reason: str) -> None:
        self.interruptions += 1
        if self.reading is not None and not self.reading.done():
            self.reading.set_exception(StoreError("redis_unavailable", reason, retryable=True))


@asynccontextmanager
async def reader_over(connection: FakeConnection, patience_s: float = 30.0) -> AsyncIterator[StreamReader]:
    reader = StreamReader(connection, connection, patience_s=patience_s)  # type: ignore[arg-type]
    try:
        yield reader
    finally:
        await reader.aclose()


def hello(asked: Positions) -> Any:
    return [(b"pipe", [(b"1-0", [b"text", b"Hello."])])] if asked.get("pipe") == "0-0" else None


async def first(reader: StreamReader, pipe: str = "pipe") -> str:
    async with asyncio.timeout(20), aclosing(reader.follow(pipe, "0-0", 1.0)) as batches:
        async for batch in batches:
            if batch:
                return batch[0].fields[b"text"].decode()
    return ""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_an_unknown_failure_is_lived_through() -> None:
    failures = [TokenExpired("x"), TokenExpired("y")]

    def answer(asked: Positions) -> Any:
        if failures:
            raise failures.pop()
        return hello(asked)

    async with reader_over(FakeConnection(answer)) as reader:
        assert await first(reader) == "Hello."


async def test_an_answer_that_cannot_be_read_is_lived_through() -> None:
    broken = [[(b"pipe", [(b"1-0", [b"text"])])], [(b"pipe", [(b"no position", [])])], 5]

    async with reader_over(FakeConnection(lambda asked: broken.pop() if broken else hello(asked))) as reader:
        assert await first(reader) == "Hello."


async def test_an_unknown_failure_that_stays_is_told_to_all(caplog: pytest.LogCaptureFixture) -> None:
    def answer(asked: Positions) -> Any:
        raise TokenExpired("x")

    async with reader_over(FakeConnection(answer), patience_s=0.3) as reader:
        outcomes = await asyncio.gather(first(reader), first(reader, "other"), return_exceptions=True)
    assert all(isinstance(outcome, StoreError) and outcome.retryable for outcome in outcomes)
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1


async def test_a_reader_that_ended_badly_is_started_again() -> None:
    connection = FakeConnection()
    async with reader_over(connection) as reader:
        waiting = asyncio.create_task(first(reader))
        await until(lambda: len(connection.questions) == 1)
        await reader.aclose()
        assert not waiting.done()
        assert connection.interruptions == 1  # or what the next one asks would wait behind the read that goes on
        connection.answer = hello
        assert await first(reader) == "Hello."
        assert await waiting == "Hello."


async def test_who_joins_while_it_reads_wakes_it_once() -> None:
    connection = FakeConnection()
    async with reader_over(connection) as reader:
        waiting = [asyncio.create_task(first(reader, "other"))]
        await until(lambda: len(connection.questions) == 1)
        waiting += [asyncio.create_task(first(reader, f"pipe{number}")) for number in range(20)]
        await until(lambda: len(connection.questions) == 2)
        assert connection.wakes == 1
        assert set(connection.questions[1]) == {"other", *(f"pipe{number}" for number in range(20))}
        for one in waiting:
            one.cancel()


async def test_a_read_that_cannot_be_woken_is_given_up() -> None:
    connection = FakeConnection(hello)
    async with reader_over(connection) as reader:
        other = asyncio.create_task(first(reader, "other"))
        await until(lambda: len(connection.questions) == 1)
        connection.failure = StoreError("redis_unavailable", "away", retryable=True)
        assert await first(reader) == "Hello."
        assert connection.interruptions == 1
        other.cancel()


async def test_who_has_gone_is_not_asked_for_any_more() -> None:
    connection = FakeConnection()
    async with reader_over(connection) as reader:
        gone, stays = asyncio.create_task(first(reader, "gone")), asyncio.create_task(first(reader, "stays"))
        await until(lambda: len(connection.questions) == 1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        newcomer = asyncio.create_task(first(reader, "newcomer"))
        await until(lambda: len(connection.questions) == 2)
        assert set(connection.questions[-1]) == {"stays", "newcomer"}
        stays.cancel()
        newcomer.cancel()


async def test_who_follows_a_pipe_that_another_has_just_left_gets_all_of_it() -> None:
    connection = FakeConnection()
    async with reader_over(connection) as reader:
        ahead = asyncio.create_task(anext(reader.follow("pipe", "5-0", 5.0)))
        await until(lambda: len(connection.questions) == 1)
        late_reading = connection.reading
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)
        connection.failure = StoreError("redis_unavailable", "away", retryable=True)
        connection.interrupt = lambda reason: None  # type: ignore[method-assign]
        newcomer = asyncio.create_task(first(reader))
        await asyncio.sleep(0.01)
        assert late_reading is not None
        connection.answer = hello
        late_reading.set_result([(b"pipe", [(b"6-0", [b"text", b"of the read of another"])])])
        assert await newcomer == "Hello."


async def test_it_ends_when_nobody_follows() -> None:
    connection = FakeConnection(hello)
    async with reader_over(connection) as reader:
        assert await first(reader) == "Hello."
        await until(lambda: connection.reading is not None and not connection.reading.done())
        connection.reading.set_result(None)  # type: ignore[union-attr] - as after `BLOCK_S`
        assert reader._task is not None
        await asyncio.wait_for(asyncio.shield(reader._task), 1.0)
        asked = len(connection.questions)
        connection.answer = hello
        assert await first(reader) == "Hello."
        assert len(connection.questions) > asked


async def test_what_is_known_of_a_call_outlives_the_longest() -> None:
    _, longest_s = _RANGES["longest_call_s"]
    assert longest_s + 1800 <= KEY_LIFETIME_S
