"""One blocking read per process for any number of pipes, so that waiting for many things costs one connection."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from shared.adapters.redis.connection import RedisConnection
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.wire import bulk, pack
from shared.domain.errors import StoreError
from shared.ports.pipes import Entry

logger = logging.getLogger(__name__)

BLOCK_S = 5.0
_BATCH = 500
_PATIENCE_S = 30.0
"""How long Redis may be away before those who wait are told."""
_WAKE_LIFETIME_S = 60

Place = tuple[int, int]
_Found = list[tuple[bytes, list[tuple[bytes, list[bytes]]]]]


def order(position: str) -> Place:
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence or 0)


def read_entry(item: tuple[bytes, list[bytes]]) -> Entry:
    """As Redis tells it: the position, and names and values by turns."""
    position, flat = item
    by_turns = iter(flat)
    return Entry(position.decode(), dict(zip(by_turns, by_turns, strict=True)))


class _Follower:
    """One who waits: what has come for it, until it takes it."""

    __slots__ = ("_idle_at", "_loop", "_timer", "_waiter", "after", "batch", "error")

    def __init__(self, after: Place) -> None:
        self.after = after
        self.batch: list[Entry] = []
        self.error: StoreError | None = None
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._idle_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, idle_s: float) -> list[Entry]:
        """What has come, or nothing if nothing came in time. Raises: StoreError when Redis stays away."""
        if not self.batch and self.error is None:
            self._waiter = self._loop.create_future()
            self._idle_at = self._loop.time() + idle_s
            if self._timer is None:  # it lasts for many takes: most of them end before it
                self._timer = self._loop.call_at(self._idle_at, self._on_timer)
            try:
                await self._waiter
            finally:
                self._waiter = None
        if not self.batch and self.error is not None:
            raise self.error
        batch, self.batch = self.batch, []
        return batch

    def tell(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _on_timer(self) -> None:
        self._timer = None
        if self._waiter is None:
            return  # busy with what came; the next take sets it anew
        if self._loop.time() >= self._idle_at:
            self.tell()
        else:
            self._timer = self._loop.call_at(self._idle_at, self._on_timer)


class _Followed:
    """One pipe and its followers. `asked`: from where the read in flight reads it; None if that leaves it out."""

    __slots__ = ("asked", "followers", "name", "place")

    def __init__(self, key: bytes) -> None:
        self.name = bulk(key)
        self.followers: list[_Follower] = []
        self.asked: Place | None = None
        self.place = b""

    def ask(self) -> None:
        """From where the follower is who has read least."""
        followers = self.followers
        after = followers[0].after if len(followers) == 1 else min(follower.after for follower in followers)
        if after != self.asked:
            self.asked = after
            self.place = bulk(b"%d-%d" % after)

    def hand_out(self, items: list[tuple[bytes, list[bytes]]]) -> None:
        if self.asked is None:
            return  # all joined during this read: the next one is from their places
        entries = [read_entry(item) for item in items]
        newest = order(entries[-1].position)
        for follower in self.followers:
            if follower.after < self.asked:
                continue  # it joined during this read, further back
            fresh = entries
            if follower.after > self.asked:
                fresh = [entry for entry in entries if order(entry.position) > follower.after]
            if fresh:
                follower.after = newest
                follower.batch += fresh
                follower.tell()


class StreamReader:
    """Follows streams by a single XREAD; a stream of its own wakes the read when a follower joins.

    `blocking` is a connection of its own, which allows a read of `BLOCK_S` on top of its deadline; `commands` is
    for everything else. With a `pace`, entries may gather for some milliseconds before they are read.
    """

    def __init__(
        self,
        blocking: RedisConnection,
        commands: RedisConnection,
        *,
        pace: Pace | None = None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._blocking = blocking
        self._commands = commands
        self._pace = pace
        self._patience_s = patience_s
        self._wake = f"wake:{uuid.uuid4().hex}".encode()
        self._wake_place = bulk(b"0-0")
        self._wake_commands = (
            pack((b"XADD", self._wake, b"MAXLEN", 1, b"*", b"", b"")),
            pack((b"EXPIRE", self._wake, _WAKE_LIFETIME_S)),
        )
        self._followed: dict[bytes, _Followed] = {}
        self._changed = True
        self._head = b""
        self._asked: list[_Followed] = []
        self._reading = False
        self._woken = False
        self._task: asyncio.Task[None] | None = None

    async def follow(self, pipe: str, after: str, idle_s: float) -> AsyncGenerator[list[Entry], None]:
        """Batches of entries after a position, an empty one after `idle_s` without any.

        Raises: StoreError when Redis stays away.
        """
        follower = _Follower(order(after))
        key = pipe.encode()
        self._join(key, follower)
        try:
            while True:
                yield await follower.take(idle_s)
        finally:
            self._leave(key, follower)

    async def aclose(self) -> None:
        """Stop reading; who still follows waits until somebody else joins."""
        if self._task is not None and self._task.get_loop() is asyncio.get_running_loop():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _join(self, key: bytes, follower: _Follower) -> None:
        if self._task is not None and self._task.get_loop() is not asyncio.get_running_loop():
            self._task, self._followed = None, {}  # that loop has ended, and all who followed in it
        if (followed := self._followed.get(key)) is None:
            followed = self._followed[key] = _Followed(key)
        followed.followers.append(follower)
        self._changed = True
        if self._task is None or self._task.done():
            self._reading = False
            self._task = asyncio.create_task(self._read_on(), name="redis-stream-reader")
        elif self._reading and not self._woken:
            self._woken = True  # who joins from now on until the read returns need not wake it again
            self._commands.ask_all("wake the reader", self._wake_commands).add_done_callback(self._on_woken)

    def _leave(self, key: bytes, follower: _Follower) -> None:
        follower.close()
        self._changed = True
        followed = self._followed.get(key)
        if followed is not None and follower in followed.followers:
            followed.followers.remove(follower)
            if not followed.followers:
                del self._followed[key]

    def _on_woken(self, woken: asyncio.Future[list[Any]]) -> None:
        """A read that cannot be woken is given up, so that the next one asks for all."""
        if woken.cancelled() or woken.exception() is not None or isinstance(woken.result()[0], Exception):
            self._blocking.interrupt("it cannot be woken")

    async def _read_on(self) -> None:
        """Runs while anybody follows; ends by itself some seconds after the last has gone."""
        loop = asyncio.get_running_loop()
        failing_since: float | None = None
        while self._followed:
            try:
                entries = await self._read_once()
                failing_since = None
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
                if failing_since is None:
                    logger.warning("pipes cannot be read: %s", error)
                    failing_since = loop.time()
                if loop.time() - failing_since > self._patience_s:
                    self._tell_all(StoreError("redis_unavailable", "pipes cannot be read", retryable=True))
                await asyncio.sleep(0.1)
                continue
            if self._pace is not None and (pause_s := self._pace.pause_s(entries, loop.time())):
                await asyncio.sleep(pause_s)

    async def _read_once(self) -> int:
        """One XREAD; how many entries it brought."""
        question = self._question()
        self._reading, self._woken = True, False
        try:
            found: _Found | None = await self._blocking.ask("read pipes", question, again=False)
        except asyncio.CancelledError:
            self._blocking.interrupt("the read was given up")  # or the next one would wait behind it
            raise
        finally:
            self._reading = False
        entries = 0
        for key, items in found or ():
            if key == self._wake:
                self._wake_place = bulk(items[-1][0])
            elif (followed := self._followed.get(key)) is not None:
                entries += len(items)
                followed.hand_out(items)
                followed.ask()
        return entries

    def _question(self) -> bytes:
        """The XREAD for all that is followed; who joins later is not part of it."""
        if self._changed:
            self._changed = False
            self._asked = list(self._followed.values())
            for followed in self._asked:
                followed.ask()
            words = (b"XREAD", b"COUNT", b"%d" % _BATCH, b"BLOCK", b"%d" % (BLOCK_S * 1000), b"STREAMS", self._wake)
            self._head = b"".join(
                [
                    b"*%d\r\n" % (len(words) + 1 + 2 * len(self._asked)),
                    *(bulk(word) for word in words),
                    *(followed.name for followed in self._asked),
                ]
            )
        return b"".join([self._head, self._wake_place, *[followed.place for followed in self._asked]])

    def _tell_all(self, error: StoreError) -> None:
        for followed in self._followed.values():
            for follower in followed.followers:
                follower.error = error
                follower.tell()
