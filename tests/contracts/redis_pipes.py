"""The Redis adapters as the composition joins them, over any address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from shared.adapters.redis.connection import connect
from shared.adapters.redis.live_calls import RedisLiveCalls
from shared.adapters.redis.pipes import RedisPipes
from shared.adapters.redis.stream_reader import BLOCK_S, StreamReader


@dataclass(frozen=True)
class RedisAdapters:
    commands: Redis
    pipes: RedisPipes
    reader: StreamReader
    live_calls: RedisLiveCalls


@asynccontextmanager
async def redis_adapters(
    url: str, *, patience_s: float = 30.0, deadline_s: float = 2.0
) -> AsyncIterator[RedisAdapters]:
    commands = connect(url, deadline_s=deadline_s)
    blocking, frames = connect(url, block_s=BLOCK_S), connect(url, block_s=BLOCK_S)
    reader = StreamReader(blocking, commands, patience_s=patience_s)
    frame_reader = StreamReader(frames, commands, patience_s=patience_s)
    yield RedisAdapters(commands, RedisPipes(commands, reader, frame_reader), reader, RedisLiveCalls(commands))
    for one in (reader, frame_reader):
        if one._task:
            one._task.cancel()
    for client in (commands, blocking, frames):
        await client.aclose()
