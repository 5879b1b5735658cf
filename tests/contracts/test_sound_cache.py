"""What every cache of sound does, Redis's above all: it keeps what it is given, for a while, and never raises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.adapters.redis.connection import connect
from shared.adapters.redis.sound_cache import RedisSoundCache
from shared.ports.sound_cache import SoundCache
from tests.contracts.redis_pipes import redis_adapters
from tests.contracts.tcp_proxy import tcp_proxy
from tests.fakes.sound_cache import FakeSoundCache
from tests.services import free_port

_ALL_BYTES = bytes(range(256)) * 4


@pytest.fixture(params=["redis", "fake"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[SoundCache]:
    if request.param == "fake":
        yield FakeSoundCache()
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield RedisSoundCache(adapters.connection, answer_within_s=2.0)


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.mark.parametrize("lasting", [True, False])
async def test_sound_comes_back_as_it_was(cache: SoundCache, key: str, lasting: bool) -> None:
    assert await cache.get(key) is None
    await cache.put(key, _ALL_BYTES, lasting=lasting)
    assert await cache.get(key) == _ALL_BYTES
    assert await cache.get(f"{key}:other") is None


async def test_newer_sound_replaces_older(cache: SoundCache, key: str) -> None:
    await cache.put(key, b"\x01\x00", lasting=False)
    await cache.put(key, b"\x02\x00", lasting=True)
    assert await cache.get(key) == b"\x02\x00"


async def test_no_sound_is_not_kept(cache: SoundCache, key: str) -> None:
    await cache.put(key, b"", lasting=False)
    assert await cache.get(key) is None


# Redis alone


async def test_sound_is_forgotten_when_nobody_asks_for_it(redis_url: str, key: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        cache = RedisSoundCache(adapters.connection, lifetime_s=0.5, answer_within_s=2.0)
        await cache.put(key, _ALL_BYTES, lasting=False)
        for _ in range(4):
            await asyncio.sleep(0.2)
            assert await cache.get(key) == _ALL_BYTES
        await asyncio.sleep(0.7)
        assert await cache.get(key) is None
        await RedisSoundCache(adapters.connection).put(key, _ALL_BYTES, lasting=False)
        assert 3500 < await adapters.commands.ttl(f"sound:{key}") <= 3600
        assert 3500 < await adapters.commands.ttl("sound:newest") <= 3600


async def test_long_sound_is_not_kept(redis_url: str, key: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        cache = RedisSoundCache(adapters.connection, answer_within_s=2.0)
        ten_seconds = bytes(10 * 16_000 * 2)
        await cache.put(key, ten_seconds + b"\0\0", lasting=True)
        assert await cache.get(key) is None
        await cache.put(key, ten_seconds, lasting=True)
        assert await cache.get(key) == ten_seconds


async def test_what_was_not_used_for_longest_makes_room(redis_url: str, key: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        await adapters.commands.delete("sound:newest")
        now_s = iter(range(100))
        cache = RedisSoundCache(adapters.connection, entries_kept=3, now_s=lambda: next(now_s), answer_within_s=2.0)
        for number in range(3):
            await cache.put(f"{key}{number}", b"12", lasting=False)
        assert await cache.get(f"{key}0") == b"12"
        await cache.put(f"{key}3", b"12", lasting=False)
        kept = [await cache.get(f"{key}{number}") is not None for number in range(4)]
        assert kept == [True, False, True, True]
        await cache.get(f"{key}1")
        assert await adapters.commands.zcard("sound:newest") == 3


async def test_without_redis_nothing_is_there(key: str, caplog: pytest.LogCaptureFixture) -> None:
    connection = connect(f"redis://127.0.0.1:{free_port()}/0")
    cache = RedisSoundCache(connection)
    for _ in range(2):
        await cache.put(key, _ALL_BYTES, lasting=False)
        assert await cache.get(key) is None
    assert len(caplog.records) == 1
    await connection.aclose()


async def test_a_silent_redis_holds_nobody_up(redis_url: str, key: str) -> None:
    port = int(redis_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    async with tcp_proxy(port) as proxy, redis_adapters(f"redis://127.0.0.1:{proxy.port}/0") as adapters:
        cache = RedisSoundCache(adapters.connection)
        await cache.put(key, _ALL_BYTES, lasting=False)
        proxy.freeze()
        began = time.monotonic()
        assert await cache.get(key) is None
        assert time.monotonic() - began < 0.5
        proxy.thaw()
        assert await cache.get(key) == _ALL_BYTES
