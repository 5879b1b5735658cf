"""Measures what the pipes cost the function app: CPU per command and per frame followed, beside redis-py.

    python -m benchmarks redis_pipes [--calls 1,10,30] [--seconds 3]

Every call sends 50 frames of 640 bytes a second. CPU is that of the measured process, less what its own pacing
costs; Redis and, for following, the writer of the frames are processes of their own. Latency is from before the
writing in one process until the follower in the other has the frame.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from benchmarks.measuring import report
from benchmarks.measuring.distribution import percentile
from benchmarks.measuring.ports import free_ports
from benchmarks.measuring.processes import all_stats, cpu_ms
from local_stack.supervisor.addresses import ROOT
from shared.adapters.redis.connection import KEY_LIFETIME_S, connect
from shared.adapters.redis.live_calls import RedisLiveCalls
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.pipes import RedisPipes
from shared.adapters.redis.stream_reader import BLOCK_S, StreamReader
from shared.domain import pipe_names

FRAMES_PER_S = 50
_FRAME = bytes(640)
_TURN = 1
_CLOCK_DIGITS = 20
_WRITER_STARTS_WITHIN_S = 20.0


class Client(Protocol):
    """What is compared: the same commands to the same server."""

    async def append_frame(self, call_id: str, frame: bytes) -> None: ...
    async def append(self, call_id: str) -> None: ...
    async def note(self, call_id: str) -> None: ...
    async def follow_all(self, call_ids: Sequence[str], heard: Callable[[bytes], None]) -> None: ...
    async def aclose(self) -> None: ...


class Ours:
    """The adapters as the app composes them."""

    def __init__(self, url: str) -> None:
        self._connections = [connect(url), *(connect(url, block_s=BLOCK_S) for _ in range(2))]
        commands, frames, rest = self._connections
        self._readers = (StreamReader(rest, commands), StreamReader(frames, commands, pace=Pace()))
        self._pipes = RedisPipes(commands, *self._readers)
        self._live_calls = RedisLiveCalls(commands)

    async def append_frame(self, call_id: str, frame: bytes) -> None:
        await self._pipes.append_frame(call_id, "connection", "17", frame)

    async def append(self, call_id: str) -> None:
        await self._pipes.append(pipe_names.turn(call_id, _TURN, pipe_names.SENTENCES), {"text": "One sentence."})

    async def note(self, call_id: str) -> None:
        await self._live_calls.note(call_id, _TURN, {"first_token_ms": 1_700_000_000_000.5})

    async def follow_all(self, call_ids: Sequence[str], heard: Callable[[bytes], None]) -> None:
        async def follow(call_id: str) -> None:
            async with aclosing(self._pipes.follow(pipe_names.frames(call_id))) as batches:
                async for batch in batches:
                    for entry in batch:
                        heard(entry.fields.get(b"d", b""))

        await asyncio.gather(*(follow(call_id) for call_id in call_ids))

    async def aclose(self) -> None:
        for reader in self._readers:
            await reader.aclose()
        for connection in self._connections:
            await connection.aclose()


class RedisPy:
    """The same with redis-py: a pool with deadlines and repetitions, one XREAD for all that is followed."""

    def __init__(self, url: str) -> None:
        retry = Retry(ExponentialBackoff(cap=0.2, base=0.02), 2)
        self._redis, self._blocking = (
            Redis.from_pool(
                BlockingConnectionPool.from_url(
                    url, protocol=2, max_connections=64, timeout=2.0, socket_timeout=deadline_s, retry=retry
                )
            )
            for deadline_s in (2.0, 7.0)
        )

    async def append_frame(self, call_id: str, frame: bytes) -> None:
        fields: Any = {b"c": "connection", b"i": "17", b"d": frame}
        await self._redis.xadd(pipe_names.frames(call_id), fields, maxlen=15_000, approximate=True, nomkstream=True)

    async def append(self, call_id: str) -> None:
        pipe = self._redis.pipeline(transaction=False)
        key = pipe_names.turn(call_id, _TURN, pipe_names.SENTENCES)
        pipe.xadd(key, {"text": "One sentence."})
        pipe.expire(key, KEY_LIFETIME_S)
        await pipe.execute()

    async def note(self, call_id: str) -> None:
        pipe = self._redis.pipeline(transaction=False)
        key = pipe_names.turn(call_id, _TURN, "journal")
        pipe.hset(key, mapping={"first_token_ms": "1700000000000.5"})
        pipe.expire(key, KEY_LIFETIME_S)
        await pipe.execute()

    async def follow_all(self, call_ids: Sequence[str], heard: Callable[[bytes], None]) -> None:
        places: dict[Any, Any] = {pipe_names.frames(call_id).encode(): "0-0" for call_id in call_ids}
        while True:
            found: Any = await self._blocking.xread(places, count=500, block=5000)
            for name, items in found:
                places[name] = items[-1][0].decode()
                for _, fields in items:
                    heard(fields.get(b"d", b""))

    async def aclose(self) -> None:
        await self._redis.aclose()
        await self._blocking.aclose()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of work. Latency in ms where there is one."""

    what: str
    client: str
    calls: int
    done: int
    client_us: float
    redis_us: float
    p50_ms: float | None = None
    p99_ms: float | None = None


CLIENTS: dict[str, Callable[[str], Client]] = {"ours": Ours, "redis-py": RedisPy}


async def pace(call_ids: Sequence[str], seconds: float, work: Callable[[str], Awaitable[None]]) -> tuple[int, float]:
    """Do the work 50 times a second and call; how often it was done, and the process's CPU for it in s."""
    loop = asyncio.get_running_loop()
    done = 0

    async def one(call_id: str, begin_at: float) -> None:
        nonlocal done
        for number in range(round(seconds * FRAMES_PER_S)):
            await asyncio.sleep(begin_at + number / FRAMES_PER_S - loop.time())
            await work(call_id)
            done += 1

    before = time.process_time()
    step_s = 1 / FRAMES_PER_S / len(call_ids)
    await asyncio.gather(*(one(call_id, loop.time() + index * step_s) for index, call_id in enumerate(call_ids)))
    return done, time.process_time() - before


async def measure_writing(url: str, redis_pid: int, calls: int, seconds: float) -> list[Cost]:
    """The three kinds of writing with each client."""
    call_ids = [uuid4().hex for _ in range(calls)]
    costs = []

    async def nothing(call_id: str) -> None:
        await asyncio.sleep(0)

    idle_done, idle_s = await pace(call_ids, seconds, nothing)
    for name, make in CLIENTS.items():
        client = make(url)
        try:
            works: dict[str, Callable[[str], Awaitable[None]]] = {
                "append_frame": lambda call_id, client=client: client.append_frame(call_id, _FRAME),  # type: ignore[misc]
                "append": client.append,
                "note": client.note,
            }
            for what, work in works.items():
                await _begin(url, call_ids)
                await work(call_ids[0])
                before_ms = cpu_ms(all_stats(), redis_pid)
                done, cpu_s = await pace(call_ids, seconds, work)
                redis_ms = cpu_ms(all_stats(), redis_pid) - before_ms
                own_us = 1e6 * (cpu_s / done - idle_s / idle_done)
                costs.append(Cost(what, name, calls, done, round(own_us, 1), round(1000 * redis_ms / done, 1)))
        finally:
            await client.aclose()
    return costs


async def measure_following(url: str, redis_pid: int, calls: int, seconds: float) -> list[Cost]:
    """All frames of all calls, written by another process."""
    costs = []
    for name, make in CLIENTS.items():
        call_ids = [uuid4().hex for _ in range(calls)]
        await _begin(url, call_ids)
        client, late_ms, begun = make(url), list[float](), asyncio.Event()

        def heard(frame: bytes, late_ms: list[float] = late_ms, begun: asyncio.Event = begun) -> None:
            if frame:
                late_ms.append((time.perf_counter_ns() - int(frame[:_CLOCK_DIGITS])) / 1e6)
                begun.set()

        following = asyncio.create_task(client.follow_all(call_ids, heard))
        command = [sys.executable, "-m", "benchmarks.redis_pipes", "--write-to", url, "--seconds", str(seconds)]
        writer = await asyncio.create_subprocess_exec(*command, "--ids", ",".join(call_ids), cwd=ROOT)
        try:
            async with asyncio.timeout(_WRITER_STARTS_WITHIN_S):
                await begun.wait()
            before_ms, before_s = cpu_ms(all_stats(), redis_pid), time.process_time()
            await writer.wait()
            cpu_s, redis_ms = time.process_time() - before_s, cpu_ms(all_stats(), redis_pid) - before_ms
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await client.aclose()
        ordered, done = sorted(late_ms), len(late_ms)
        figures = (round(1e6 * cpu_s / done, 1), round(1000 * redis_ms / done, 1))
        p50, p99 = (round(percentile([ms * 100 for ms in ordered], part) / 100, 2) for part in (50, 99))
        costs.append(Cost("follow a frame", name, calls, done, *figures, p50, p99))
    return costs


async def _begin(url: str, call_ids: Sequence[str]) -> None:
    async with Redis.from_url(url) as redis:
        await redis.flushall()
        for call_id in call_ids:
            await redis.xadd(pipe_names.frames(call_id), {"event": "started"})


async def write_frames(url: str, call_ids: Sequence[str], seconds: float) -> None:
    """The other process: frames that say when they were written."""
    client = Ours(url)

    async def write(call_id: str) -> None:
        clock = b"%0*d" % (_CLOCK_DIGITS, time.perf_counter_ns())
        await client.append_frame(call_id, clock + _FRAME[_CLOCK_DIGITS:])

    await pace(call_ids, seconds, write)
    await asyncio.sleep(0.1)
    await client.aclose()


@contextmanager
def running_redis() -> Iterator[tuple[str, int]]:
    """A server of its own: URL and process."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        command = [sys.executable, "-m", "local_stack.redis", "--port", str(port), "--state-dir", folder]
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield f"redis://127.0.0.1:{port}/0", server.pid
        finally:
            server.terminate()
            server.wait(10)


async def _until_ready(url: str) -> None:
    address = urllib.parse.urlsplit(url)
    async with asyncio.timeout(15):
        while True:
            try:
                _, writer = await asyncio.open_connection(address.hostname, address.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def run(calls: Sequence[int], seconds: float) -> list[Cost]:
    """All measurements, those of both clients close together."""
    costs: list[Cost] = []
    with running_redis() as (url, pid):
        await _until_ready(url)
        for count in calls:
            costs += await measure_writing(url, pid, count, seconds)
            costs += await measure_following(url, pid, count, seconds)
    return costs


def main() -> int:
    """Parse the command line, run, show and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks redis_pipes", description=__doc__)
    parser.add_argument("--calls", default="1,10,30", help="loads (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement (default: %(default)s)")
    parser.add_argument("--write-to", help=argparse.SUPPRESS)
    parser.add_argument("--ids", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write_to:
        asyncio.run(write_frames(options.write_to, options.ids.split(","), options.seconds))
        return 0
    costs = asyncio.run(run([int(each) for each in options.calls.split(",")], options.seconds))
    rows = [
        [each.what, each.calls, each.client, each.client_us, each.redis_us, each.p50_ms, each.p99_ms]
        for each in costs
    ]
    print(report.table(["CPU µs each", "calls", "client", "app", "Redis", "p50 ms", "p99 ms"], rows))
    figures = [{name: getattr(each, name) for name in Cost.__slots__} for each in costs]
    print(f"\nkept in {report.keep('redis_pipes', {'seconds': options.seconds, 'costs': figures})}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
