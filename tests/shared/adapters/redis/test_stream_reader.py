"""The reader that all who wait share must not die of anything, or they would wait for ever."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from shared.adapters.redis.connection import KEY_LIFETIME_S, translated
from shared.adapters.redis.stream_reader import StreamReader
from shared.domain.errors import StoreError
from shared.settings import _RANGES


class TokenExpired(Exception):
    """What an identity's library raises is none of Redis's errors."""


class FakeRedis:
    def __init__(self, *errors: Exception, entry: bool = True) -> None:
        self.errors = list(errors)
        self.entry = entry

    async def xread(self, asked: dict[str, str], **_: Any) -> Any:
        await asyncio.sleep(0.01)
        if self.errors:
            raise self.errors.pop(0)
        if not self.entry:
            await asyncio.sleep(5)
            return []
        return [(b"pipe", [(b"1-0", {b"text": b"Hello."})])] if "pipe" in asked else []

    async def xadd(self, *_: Any, **__: Any) -> None: ...

    async def expire(self, *_: Any) -> None:
        if self.errors:
            raise self.errors.pop(0)


async def first(reader: StreamReader) -> str:
    async with asyncio.timeout(60), aclosing(reader.follow("pipe", "0-0", 1.0)) as batches:
        async for batch in batches:
            if batch:
                return batch[0].fields[b"text"].decode()
    return ""


async def test_an_unknown_failure_is_lived_through() -> None:
    reader = StreamReader(FakeRedis(TokenExpired("x"), TokenExpired("y")), FakeRedis())  # type: ignore[arg-type]
    assert await first(reader) == "Hello."


async def test_an_unknown_failure_that_stays_is_told() -> None:
    failing = FakeRedis(*(TokenExpired("x") for _ in range(1000)))
    reader = StreamReader(failing, FakeRedis(), patience_s=1.0)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="redis_unavailable"):
        await first(reader)


async def test_a_reader_that_ended_badly_is_started_again() -> None:
    reader = StreamReader(FakeRedis(asyncio.CancelledError()), FakeRedis())  # type: ignore[arg-type]
    waiting = asyncio.create_task(first(reader))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    assert await first(reader) == "Hello."
    assert await waiting == "Hello."


async def test_a_wake_up_stream_that_cannot_be_forgotten_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    reader = StreamReader(FakeRedis(), FakeRedis(OSError("away")))  # type: ignore[arg-type]
    assert await first(reader) == "Hello."
    await asyncio.sleep(6)
    assert [record.exc_info for record in caplog.records] == [None]
    assert "stays behind" in caplog.text


async def test_an_identity_that_gets_no_token_is_told_in_our_words() -> None:
    with pytest.raises(StoreError, match="read a call: TokenExpired") as error:
        async with translated("read a call"):
            raise TokenExpired("secret")
    assert error.value.retryable


def test_what_is_known_of_a_call_outlives_the_longest() -> None:
    _, longest_s = _RANGES["longest_call_s"]
    assert longest_s + 1800 <= KEY_LIFETIME_S
