"""One blocking read per process for any number of pipes, so that waiting for many things costs one connection."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from shared.adapters.redis.connection import KEY_LIFETIME_S, translated
from shared.domain.errors import StoreError
from shared.ports.pipes import Entry

logger = logging.getLogger(__name__)

BLOCK_S = 5.0
_BATCH = 500
_PATIENCE_S = 30.0
"""How long Redis may be away before those who wait are told."""


def order(position: str) -> tuple[int, int]:
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence or 0)


@dataclass(eq=False)
class _Follower:
    pipe: str
    after: tuple[int, int]
    batches: asyncio.Queue[list[Entry] | StoreError] = field(default_factory=asyncio.Queue)


class StreamReader:
    """Follows streams by a single XREAD; a stream of its own wakes the read when a follower joins.

    `blocking` must allow a read of `BLOCK_S` on top of its deadline; `commands` is for everything else.
    """

    def __init__(self, blocking: Redis, commands: Redis, *, patience_s: float = _PATIENCE_S) -> None:
        self._blocking = blocking
        self._commands = commands
        self._patience_s = patience_s
        self._wake = f"wake:{uuid.uuid4().hex}"
        self._wake_after = "0-0"
        self._followers: dict[str, list[_Follower]] = {}
        self._task: asyncio.Task[None] | None = None

    async def follow(self, pipe: str, after: str, idle_s: float) -> AsyncGenerator[list[Entry], None]:
        """Batches of entries after a position, an empty one after `idle_s` without any.

        Raises: StoreError when Redis stays away.
        """
        follower = _Follower(pipe, order(after))
        self._followers.setdefault(pipe, []).append(follower)
        try:
            await self._wake_up()
            while True:
                try:
                    async with asyncio.timeout(idle_s):
                        batch = await follower.batches.get()
                except TimeoutError:
                    batch = []
                if isinstance(batch, StoreError):
                    raise batch
                yield batch
        finally:
            remaining = self._followers[pipe]
            remaining.remove(follower)
            if not remaining:
                del self._followers[pipe]

    async def _wake_up(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read_on(), name="redis-stream-reader")
        else:
            async with translated("wake the reader"):
                wake = self._commands.pipeline(transaction=False)
                wake.xadd(self._wake, {b"": b""}, maxlen=1, approximate=False)
                wake.expire(self._wake, KEY_LIFETIME_S)
                await wake.execute()

    async def _read_on(self) -> None:
        """Runs while anybody follows; ends by itself some seconds after the last has gone."""
        failing_since: float | None = None
        while self._followers:
            asked = {
                pipe: min(follower.after for follower in followers) for pipe, followers in self._followers.items()
            }
            positions: dict[Any, Any] = {pipe: "{}-{}".format(*after) for pipe, after in asked.items()}
            try:
                found: Any = await self._blocking.xread(
                    {self._wake: self._wake_after, **positions}, count=_BATCH, block=int(BLOCK_S * 1000)
                )
                failing_since = None
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
                now = asyncio.get_running_loop().time()
                if failing_since is None:
                    logger.warning("pipes cannot be read: %s", type(error).__name__)
                    failing_since = now
                if now - failing_since > self._patience_s:
                    self._tell_all(StoreError("redis_unavailable", "pipes cannot be read", retryable=True))
                await asyncio.sleep(0.1)
                continue
            self._hand_out(found, asked)
        self._task = None  # from here on a new follower starts a new read
        try:
            async with translated("forget the wake-up stream"):
                await self._commands.expire(self._wake, int(BLOCK_S))
        except StoreError as error:
            logger.warning("a stream of one empty entry stays behind: %s", error)

    def _hand_out(
        self, found: list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]], asked: dict[str, tuple[int, int]]
    ) -> None:
        for name, items in found:
            pipe = name.decode()
            if pipe == self._wake:
                self._wake_after = items[-1][0].decode()
                continue
            entries = [Entry(position.decode(), fields) for position, fields in items]
            newest = order(entries[-1].position)
            for follower in self._followers.get(pipe, ()):
                if follower.after < asked[pipe]:
                    continue  # it joined during this read, further back: the next read is from its place
                fresh = [entry for entry in entries if order(entry.position) > follower.after]
                if fresh:
                    follower.after = newest
                    follower.batches.put_nowait(fresh)

    def _tell_all(self, error: StoreError) -> None:
        for followers in self._followers.values():
            for follower in followers:
                follower.batches.put_nowait(error)
