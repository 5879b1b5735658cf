"""Pipes as Redis Streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache

from hiredis import ReplyError

from shared.adapters.redis.connection import KEY_LIFETIME_S, RedisConnection
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.stream_reader import StreamReader, read_entry
from shared.adapters.redis.wire import Word, accepted, bulk, pack, refused
from shared.domain import pipe_names
from shared.domain.errors import Overtaken
from shared.ports.pipes import Entry, Fence

_FRAMES_KEPT = 15_000
"""Five minutes of 20 ms frames: what may pile up while nobody listens."""

_LONGEST_GATHER_S = 0.004
"""Of frames that are written: the carrier's next frame waits for the answer to this one, and comes after 20 ms."""

_DATA = bulk(b"d")

# Append unless there is a later epoch. A server that has forgotten the epoch holds nobody up.
# KEYS: pipe, epoch. ARGV: epoch, lifetime, words of XADD after the pipe.
_APPEND = """
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


class RedisPipes:
    """Fills the ports `Pipes` and `AudioFrames`. Frames have a reader of their own, apart from everything else.

    What was in flight when the connection broke is written again: a frame then may stand twice, which its
    number shows, and an entry without a position too.
    """

    def __init__(self, commands: RedisConnection, reader: StreamReader, frame_reader: StreamReader) -> None:
        self._commands = commands
        self._reader = reader
        self._frame_reader = frame_reader
        self._frame_pace = Pace(longest_s=_LONGEST_GATHER_S)

    async def append(
        self,
        pipe: str,
        fields: Mapping[str, bytes | str],
        *,
        position: str | None = None,
        must_exist: bool = False,
        fence: Fence | None = None,
    ) -> None:
        """`must_exist`: where there is no such pipe (any more), nothing is written."""
        words: list[Word] = ["NOMKSTREAM", position or "*"] if must_exist else [position or "*"]
        for name, value in fields.items():
            words += (name, value)
        if fence is None:
            commands = [pack(("XADD", pipe, *words)), _expire(pipe)]
        else:
            arguments = (fence.epoch, KEY_LIFETIME_S, *words)
            commands = [pack(("EVAL", _APPEND, 2, pipe, fence.key, *arguments))]
        what = "append to a pipe"
        added, *_ = await self._commands.ask_all(what, commands)
        if isinstance(added, ReplyError):
            if position and "equal or smaller" in str(added):
                return  # a step that runs again writes what stands already
            raise refused(what, added)
        if fence is not None and not added:
            raise _overtaken(fence)

    async def fence(self, key: str) -> Fence:
        """Where an answer was lost, an epoch is passed over."""
        what = "begin an epoch"
        epoch, _ = await self._commands.ask_all(what, (pack(("INCR", key)), _expire(key)))
        return Fence(key, int(accepted(what, epoch)))

    async def check(self, fence: Fence) -> None:
        newest = await self._commands.ask("read an epoch", pack(("GET", fence.key)))
        if newest is not None and int(newest) > fence.epoch:
            raise _overtaken(fence)

    async def append_frame(self, call_id: str, connection_id: str, event_id: str, payload: bytes) -> None:
        head = _frame_head(call_id, connection_id)
        command = b"".join((head, bulk(event_id.encode()), _DATA, bulk(payload)))
        await self._commands.ask("append a frame", command, pace=self._frame_pace)

    def follow(self, pipe: str, after: str = "0-0", *, idle_s: float = 5.0) -> AsyncGenerator[list[Entry], None]:
        reader = self._frame_reader if pipe.endswith(":frames") else self._reader
        return reader.follow(pipe, after, idle_s)

    async def read(self, pipe: str, after: str = "0-0") -> list[Entry]:
        found = await self._commands.ask("read a pipe", pack(("XRANGE", pipe, f"({after}", "+")))
        return [read_entry(item) for item in found]

    async def last(self, pipe: str) -> Entry | None:
        command = pack(("XREVRANGE", pipe, "+", "-", "COUNT", 1))
        found = await self._commands.ask("read the end of a pipe", command)
        return read_entry(found[0]) if found else None

    async def trim(self, pipe: str, before: str) -> None:
        what = "trim a pipe"
        trimmed, _ = await self._commands.ask_all(what, (pack(("XTRIM", pipe, "MINID", before)), _expire(pipe)))
        accepted(what, trimmed)


def _overtaken(fence: Fence) -> Overtaken:
    return Overtaken("step_overtaken", f"a later execution than {fence.epoch} has taken the step over")


@lru_cache(maxsize=1024)
def _frame_head(call_id: str, connection_id: str) -> bytes:
    """The command for a frame up to the number of its event: the same for all of a connection's."""
    key = pipe_names.frames(call_id).encode()
    kept = b"%d" % _FRAMES_KEPT
    words = (b"XADD", key, b"NOMKSTREAM", b"MAXLEN", b"~", kept, b"*", b"c", connection_id.encode(), b"i")
    return b"*%d\r\n" % (len(words) + 3) + b"".join(bulk(word) for word in words)


def _expire(key: str) -> bytes:
    return pack((b"EXPIRE", key, KEY_LIFETIME_S))
