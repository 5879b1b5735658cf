"""What every pipe does: in order, from anywhere, for any number of readers, and how it fails."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from shared.adapters.redis.connection import KEY_LIFETIME_S, connect
from shared.domain import pipe_names
from shared.domain.errors import StoreError
from shared.ports.pipes import Entry
from shared.ports.pipes_and_frames import PipesAndFrames
from tests.contracts.redis_pipes import redis_adapters
from tests.contracts.tcp_proxy import tcp_proxy
from tests.fakes.clock import FakeClock
from tests.fakes.pipes import FakePipes
from tests.services import free_port, running_redis

_DEADLINE_S = 5.0


@pytest.fixture(params=["redis", "fake"])
async def pipes(request: pytest.FixtureRequest) -> AsyncIterator[PipesAndFrames]:
    if request.param == "fake":
        yield FakePipes(FakeClock())
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield adapters.pipes


@pytest.fixture
def pipe() -> str:
    return pipe_names.turn(uuid4().hex, 1, pipe_names.SENTENCES)


def values(entries: list[Entry]) -> list[bytes]:
    return [entry.fields[b"v"] for entry in entries]


async def take(pipes: PipesAndFrames, pipe: str, count: int, after: str = "0-0") -> list[Entry]:
    """The next so many entries; batches may be of any size."""
    found: list[Entry] = []
    async with asyncio.timeout(_DEADLINE_S), aclosing(pipes.follow(pipe, after)) as batches:
        async for batch in batches:
            found += batch
            if len(found) >= count:
                break
    return found


async def test_entries_are_read_in_order_as_they_were_written(pipes: PipesAndFrames, pipe: str) -> None:
    raw = bytes(range(256))
    await pipes.append(pipe, {"v": raw, "text": "नमस्ते"})
    await pipes.append(pipe, {"v": b"2"})
    first, second = await pipes.read(pipe)
    assert first.fields == {b"v": raw, b"text": "नमस्ते".encode()}
    assert second.fields == {b"v": b"2"}
    assert first.position != second.position


async def test_positions_are_times(pipes: PipesAndFrames, pipe: str) -> None:
    await pipes.append(pipe, {"v": b"1"})
    (entry,) = await pipes.read(pipe)
    assert entry.at_ms == int(entry.position.split("-")[0]) > 1_600_000_000_000


async def test_a_pipe_that_is_not_there_is_empty(pipes: PipesAndFrames, pipe: str) -> None:
    assert await pipes.read(pipe) == []
    assert await pipes.last(pipe) is None
    await pipes.trim(pipe, "5-0")
    assert await pipes.read(pipe) == []


async def test_writing_at_or_before_the_end_changes_nothing(pipes: PipesAndFrames, pipe: str) -> None:
    for position, value in (("1-0", b"a"), ("2-1", b"b"), ("2-1", b"c"), ("1-5", b"d"), ("2-0", b"e"), ("2-2", b"f")):
        await pipes.append(pipe, {"v": value}, position=position)
    assert [(entry.position, entry.fields[b"v"]) for entry in await pipes.read(pipe)] == [
        ("1-0", b"a"),
        ("2-1", b"b"),
        ("2-2", b"f"),
    ]


async def test_after_a_position(pipes: PipesAndFrames, pipe: str) -> None:
    for number in range(1, 5):
        await pipes.append(pipe, {"v": str(number)}, position=f"{number}-0")
    assert values(await pipes.read(pipe, "2-0")) == [b"3", b"4"]
    assert values(await pipes.read(pipe, "2-1")) == [b"3", b"4"]
    assert await pipes.read(pipe, "9-0") == []
    last = await pipes.last(pipe)
    assert last is not None
    assert last.position == "4-0"
    assert values(await take(pipes, pipe, 1, "3-0")) == [b"4"]


async def test_what_is_before_a_position_can_be_forgotten(pipes: PipesAndFrames, pipe: str) -> None:
    for number in range(1, 5):
        await pipes.append(pipe, {"v": str(number)}, position=f"{number}-0")
    await pipes.trim(pipe, "3-0")
    assert values(await pipes.read(pipe)) == [b"3", b"4"]
    await pipes.append(pipe, {"v": b"x"}, position="2-0")
    assert values(await pipes.read(pipe)) == [b"3", b"4"]


async def test_following_gives_what_is_there_and_what_comes(pipes: PipesAndFrames, pipe: str) -> None:
    await pipes.append(pipe, {"v": b"0"})
    following = asyncio.create_task(take(pipes, pipe, 4))
    for number in (1, 2, 3):
        await asyncio.sleep(0.02)
        await pipes.append(pipe, {"v": str(number)})
    assert values(await following) == [b"0", b"1", b"2", b"3"]


async def test_following_is_quick(pipes: PipesAndFrames, pipe: str) -> None:
    """While others are waited for: a new reader must not wait for their turn to end."""
    other = asyncio.create_task(take(pipes, f"{pipe}:other", 1))
    await asyncio.sleep(0.05)
    following = asyncio.create_task(take(pipes, pipe, 1))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await pipes.append(pipe, {"v": b"1"})
    await following
    assert time.monotonic() - began < 1.0
    await pipes.append(f"{pipe}:other", {"v": b"1"})
    await other


async def test_many_readers_get_everything(pipes: PipesAndFrames, pipe: str) -> None:
    readers = [asyncio.create_task(take(pipes, pipe, 50)) for _ in range(10)]
    for number in range(50):
        await pipes.append(pipe, {"v": str(number)})
    for reader in readers:
        assert values(await reader) == [str(number).encode() for number in range(50)]


async def test_a_reader_that_joins_further_back_misses_nothing(pipes: PipesAndFrames, pipe: str) -> None:
    """However the entries come between its joining and its first read."""
    for number in range(1, 11):
        await pipes.append(pipe, {"v": str(number)}, position=f"{number}-0")
    ahead = asyncio.create_task(take(pipes, pipe, 20, "10-0"))
    await asyncio.sleep(0.05)
    behind = []
    for number in range(11, 31):
        behind.append(asyncio.create_task(take(pipes, pipe, 30)))
        await asyncio.sleep(0)
        await pipes.append(pipe, {"v": str(number)}, position=f"{number}-0")
    for reader in behind:
        assert values(await reader) == [str(number).encode() for number in range(1, 31)]
    assert len(await ahead) == 20


async def test_a_long_backlog_is_read_whole(pipes: PipesAndFrames, pipe: str) -> None:
    await asyncio.gather(*(pipes.append(pipe, {"v": b"x"}) for _ in range(1200)))
    assert len(await take(pipes, pipe, 1200)) == 1200


async def test_nothing_for_a_while_is_an_empty_batch(pipes: PipesAndFrames, pipe: str) -> None:
    async with aclosing(pipes.follow(pipe, idle_s=0.05)) as batches:
        assert await anext(batches) == []
        assert await anext(batches) == []
        await pipes.append(pipe, {"v": b"1"})
        assert values(await anext(batches)) == [b"1"]
        assert await anext(batches) == []


async def test_a_reader_that_is_cancelled_leaves_the_others_alone(pipes: PipesAndFrames, pipe: str) -> None:
    readers = [asyncio.create_task(take(pipes, pipe, 1)) for _ in range(3)]
    await asyncio.sleep(0.05)
    readers[0].cancel()
    await pipes.append(pipe, {"v": b"1"})
    assert [values(await reader) for reader in readers[1:]] == [[b"1"], [b"1"]]


async def test_an_entry_may_ask_for_a_pipe_that_is_there(pipes: PipesAndFrames, pipe: str) -> None:
    await pipes.append(pipe, {"v": b"late"}, must_exist=True)
    assert await pipes.last(pipe) is None
    await pipes.append(pipe, {"v": b"1"})
    await pipes.append(pipe, {"v": b"2"}, must_exist=True)
    assert values(await pipes.read(pipe)) == [b"1", b"2"]


async def test_frames(pipes: PipesAndFrames) -> None:
    call_id = uuid4().hex
    await pipes.append(pipe_names.frames(call_id), {"event": "started"})
    await pipes.append_frame(call_id, "conn", "7", b"\x00\xffraw")
    await pipes.append_frame(call_id, "conn", "8", b"")
    entries = (await take(pipes, pipe_names.frames(call_id), 3))[1:]
    assert [entry.fields for entry in entries] == [
        {b"c": b"conn", b"i": b"7", b"d": b"\x00\xffraw"},
        {b"c": b"conn", b"i": b"8", b"d": b""},
    ]


async def test_a_frame_of_a_forgotten_call_is_dropped(pipes: PipesAndFrames) -> None:
    call_id = uuid4().hex
    await pipes.append_frame(call_id, "conn", "1", b"late")
    assert await pipes.last(pipe_names.frames(call_id)) is None


# Redis alone


async def test_a_frame_is_one_command(redis_url: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        call_id = uuid4().hex
        await adapters.pipes.append(pipe_names.frames(call_id), {"event": "started"})
        before = (await adapters.commands.info("stats"))["total_commands_processed"]
        for number in range(20):
            await adapters.pipes.append_frame(call_id, "conn", str(number), b"x" * 640)
        after = (await adapters.commands.info("stats"))["total_commands_processed"]
        assert after - before == 20 + 1  # and the question itself


async def test_everything_that_is_written_expires(redis_url: str, pipe: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        call_id = uuid4().hex
        await adapters.pipes.append(pipe, {"v": b"1"})
        await adapters.pipes.append(pipe_names.frames(call_id), {"event": "started"})
        await adapters.pipes.append_frame(call_id, "conn", "1", b"x")
        for key in (pipe, pipe_names.frames(call_id)):
            assert KEY_LIFETIME_S - 60 < await adapters.commands.ttl(key) <= KEY_LIFETIME_S


async def test_what_a_dead_worker_leaves_behind_goes_away(redis_url: str, pipe: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        readers = [asyncio.create_task(take(adapters.pipes, f"{pipe}{n}", 1)) for n in range(3)]
        await asyncio.sleep(0.2)
        lasting = [key async for key in adapters.commands.scan_iter("*") if await adapters.commands.ttl(key) < 0]
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        assert lasting == []


async def test_a_reader_that_nobody_follows_ends(redis_url: str, pipe: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        await adapters.pipes.append(pipe, {"v": b"1"})
        await take(adapters.pipes, pipe, 1)
        assert adapters.reader._followed == {}


async def test_a_reader_that_joins_during_a_read_misses_nothing(redis_url: str, pipe: str) -> None:
    """The answer to a read from further on is on its way when a reader joins who has read nothing yet."""
    async with redis_adapters(redis_url) as adapters:
        for number in range(1, 11):
            await adapters.pipes.append(pipe, {"v": str(number)}, position=f"{number}-0")
        ahead = asyncio.create_task(take(adapters.pipes, pipe, 1, "10-0"))
        await asyncio.sleep(0.2)
        with redis.Redis.from_url(redis_url) as at_once:
            at_once.xadd(pipe, {"v": "11"}, id="11-0")
        assert values(await take(adapters.pipes, pipe, 11)) == [str(number).encode() for number in range(1, 12)]
        assert values(await ahead) == [b"11"]


async def test_one_connection_for_any_number_of_readers(redis_url: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        before = len(await adapters.commands.client_list())
        names = [uuid4().hex for _ in range(40)]
        readers = [asyncio.create_task(take(adapters.pipes, name, 1)) for name in names]
        await asyncio.sleep(0.2)
        blocked = [client for client in await adapters.commands.client_list() if "b" in client["flags"]]
        assert len(blocked) == 1
        assert len(await adapters.commands.client_list()) - before < 50
        for name in names:
            await adapters.pipes.append(name, {"v": b"1"})
        await asyncio.gather(*readers)


async def test_a_redis_that_is_not_there_is_told_in_time() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    async with redis_adapters(url) as adapters:
        began = time.monotonic()
        outcomes = await asyncio.gather(
            adapters.pipes.append("p", {"v": b"1"}),
            adapters.pipes.append_frame("c", "conn", "1", b"x"),
            adapters.pipes.read("p"),
            adapters.pipes.last("p"),
            adapters.pipes.trim("p", "1-0"),
            adapters.live_calls.ping(),
            return_exceptions=True,
        )
        assert time.monotonic() - began < 3.0
        assert all(isinstance(outcome, StoreError) and outcome.retryable for outcome in outcomes), outcomes


async def test_a_redis_that_is_silent_is_told_in_time(redis_url: str) -> None:
    port = int(redis_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    async with (
        tcp_proxy(port) as proxy,
        redis_adapters(f"redis://127.0.0.1:{proxy.port}/0", deadline_s=0.3) as adapters,
    ):
        await adapters.live_calls.ping()
        proxy.freeze()
        began = time.monotonic()
        with pytest.raises(StoreError) as error:
            await adapters.pipes.append("p", {"v": b"1"})
        assert error.value.retryable
        assert time.monotonic() - began < 2.5
        proxy.thaw()


async def test_who_waits_is_told_when_redis_stays_away() -> None:
    async with redis_adapters(f"redis://127.0.0.1:{free_port()}/0", patience_s=0.3) as adapters:
        with pytest.raises(StoreError, match="redis_unavailable") as error:
            await take(adapters.pipes, "p", 1)
        assert error.value.retryable


async def test_readers_survive_cut_connections(redis_url: str, pipe: str) -> None:
    port = int(redis_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    async with tcp_proxy(port) as proxy, redis_adapters(f"redis://127.0.0.1:{proxy.port}/0") as adapters:
        following = asyncio.create_task(take(adapters.pipes, pipe, 3))
        for number in range(3):
            await asyncio.sleep(0.1)
            proxy.cut()
            await adapters.pipes.append(pipe, {"v": str(number)})
        assert values(await following) == [b"0", b"1", b"2"]


async def test_readers_survive_a_restart_of_redis(tmp_path: Path, pipe: str) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    async with redis_adapters(url) as adapters:
        with running_redis(tmp_path / "state", port):
            following = asyncio.create_task(take(adapters.pipes, pipe, 2))
            await asyncio.sleep(0.1)
            await adapters.pipes.append(pipe, {"v": b"before"})
            await asyncio.sleep(0.1)
        with pytest.raises(StoreError):
            await adapters.pipes.append(pipe, {"v": b"lost"})
        assert not following.done()
        with running_redis(tmp_path / "state", port):
            await adapters.pipes.append(pipe, {"v": b"after"})
            assert values(await following) == [b"before", b"after"]


def test_nothing_connects_when_a_client_is_made() -> None:
    connect(f"redis://127.0.0.1:{free_port()}/0")
    connect("rediss://example.invalid:10000", block_s=5.0)


@pytest.mark.slow
async def test_nothing_is_lost_or_doubled_for_readers_while_everything_fails(redis_url: str) -> None:
    """Readers come and go and come back to where they were, connections are cut, entries come all the time."""
    port = int(redis_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    names = [pipe_names.turn(uuid4().hex, 1, pipe_names.SENTENCES) for _ in range(12)]
    entries = 150

    async def write(pipes: PipesAndFrames, name: str, seed: int) -> None:
        chance = random.Random(seed)
        for number in range(1, entries + 1):
            while True:
                try:
                    await pipes.append(name, {"v": str(number)}, position=f"{number}-0")
                    break
                except StoreError:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(chance.random() * 0.02)

    async def read(pipes: PipesAndFrames, name: str, seed: int) -> list[int]:
        chance, found, after = random.Random(seed), list[int](), "0-0"
        while len(found) < entries:
            stay_s = chance.random() * 0.3
            try:
                async with asyncio.timeout(stay_s), aclosing(pipes.follow(name, after, idle_s=0.05)) as batches:
                    async for batch in batches:
                        for entry in batch:
                            found.append(int(entry.fields[b"v"]))
                            after = entry.position
            except TimeoutError:
                continue
        return found

    async with tcp_proxy(port) as proxy, redis_adapters(f"redis://127.0.0.1:{proxy.port}/0") as adapters:

        async def cut() -> None:
            while True:
                await asyncio.sleep(0.15)
                proxy.cut()

        cutting = asyncio.create_task(cut())
        writers = [asyncio.create_task(write(adapters.pipes, name, seed)) for seed, name in enumerate(names)]
        readers = [read(adapters.pipes, name, seed) for seed, name in enumerate(names * 2)]
        async with asyncio.timeout(30):
            outcomes = await asyncio.gather(*readers)
            await asyncio.gather(*writers)
        cutting.cancel()
        assert all(found == list(range(1, entries + 1)) for found in outcomes)
