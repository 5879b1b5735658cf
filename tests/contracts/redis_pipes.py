"""The Redis adapters as the composition joins them, over any address, and a client that looks on from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from shared.adapters.redis.connection import RedisConnection, connect
from shared.adapters.redis.live_calls import RedisLiveCalls
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.pipes import RedisPipes
from shared.adapters.redis.stream_reader import BLOCK_S, StreamReader


@dataclass(frozen=True)
class RedisAdapters:
    """`commands` is an ordinary client for tests to look with; the adapters do not use it."""

    commands: Redis
    connection: RedisConnection
    pipes: RedisPipes
    reader: StreamReader
    live_calls: RedisLiveCalls


@asynccontextmanager
async def redis_adapters(
    url: str, *, patience_s: float = 30.0, deadline_s: float = 2.0
) -> AsyncIterator[RedisAdapters]:
    onlooker = Redis.from_url(url)
    connection = connect(url, deadline_s=deadline_s)
    blocking, frames = connect(url, block_s=BLOCK_S), connect(url, block_s=BLOCK_S)
    reader = StreamReader(blocking, connection, patience_s=patience_s)
    frame_reader = StreamReader(frames, connection, pace=Pace(), patience_s=patience_s)
    pipes = RedisPipes(connection, reader, frame_reader)
    yield RedisAdapters(onlooker, connection, pipes, reader, RedisLiveCalls(connection))
    for client in (reader, frame_reader, connection, blocking, frames, onlooker):
        await client.aclose()
