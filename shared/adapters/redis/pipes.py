"""Pipes as Redis Streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared.adapters.redis.connection import KEY_LIFETIME_S, translated
from shared.adapters.redis.stream_reader import StreamReader
from shared.domain import pipe_names
from shared.ports.pipes import Entry

_FRAMES_KEPT = 15_000
"""Five minutes of 20 ms frames: what may pile up while nobody listens."""


class RedisPipes:
    """Fills the ports `Pipes` and `AudioFrames`. Frames have a reader of their own, apart from everything else."""

    def __init__(self, commands: Redis, reader: StreamReader, frame_reader: StreamReader) -> None:
        self._redis = commands
        self._reader = reader
        self._frame_reader = frame_reader

    async def append(self, pipe: str, fields: Mapping[str, bytes | str], *, position: str | None = None) -> None:
        async with translated("append to a pipe"):
            transaction = self._redis.pipeline(transaction=False)
            values: Any = dict(fields)
            transaction.xadd(pipe, values, id=position or "*")
            transaction.expire(pipe, KEY_LIFETIME_S)
            added, _ = await transaction.execute(raise_on_error=False)
            if isinstance(added, ResponseError) and position and "equal or smaller" in str(added):
                return  # a step that runs again writes what stands already
            if isinstance(added, Exception):
                raise added

    async def append_frame(self, call_id: str, connection_id: str, event_id: str, payload: bytes) -> None:
        async with translated("append a frame"):
            await self._redis.xadd(
                pipe_names.frames(call_id),
                {b"c": connection_id, b"i": event_id, b"d": payload},
                maxlen=_FRAMES_KEPT,
                approximate=True,
                nomkstream=True,
            )

    def follow(self, pipe: str, after: str = "0-0", *, idle_s: float = 5.0) -> AsyncGenerator[list[Entry], None]:
        reader = self._frame_reader if pipe.endswith(":frames") else self._reader
        return reader.follow(pipe, after, idle_s)

    async def read(self, pipe: str, after: str = "0-0") -> list[Entry]:
        async with translated("read a pipe"):
            found: Any = await self._redis.xrange(pipe, min=f"({after}")
        return [_entry(item) for item in found]

    async def last(self, pipe: str) -> Entry | None:
        async with translated("read the end of a pipe"):
            found: Any = await self._redis.xrevrange(pipe, count=1)
        return _entry(found[0]) if found else None

    async def trim(self, pipe: str, before: str) -> None:
        async with translated("trim a pipe"):
            transaction = self._redis.pipeline(transaction=False)
            transaction.xtrim(pipe, minid=before, approximate=False)
            transaction.expire(pipe, KEY_LIFETIME_S)
            await transaction.execute()


def _entry(item: Any) -> Entry:
    position, fields = item
    return Entry(position.decode(), fields)
