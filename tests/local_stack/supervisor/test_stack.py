"""The stack's own life: order, failures, crashes on command, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from local_stack.programs.ports import PortTaken
from local_stack.supervisor.part import Part, Preparation, ReadyCheck
from local_stack.supervisor.process import PartFailed
from local_stack.supervisor.stack import CommandRefused, Stack
from tests.local_stack.running_part import exists, free_ports, listens

# Listens on a port after a while, with a child of its own that ignores SIGTERM.
_LISTENER = """
import signal, socket, subprocess, sys, time
port, stubborn, wait_s = int(sys.argv[1]), sys.argv[2] == "stubborn", float(sys.argv[3])
child = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; echo child $$; sleep 60 & wait; wait; sleep 60"])
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(wait_s)
door = socket.create_server(("127.0.0.1", port))
print("listening", flush=True)
while True:
    door.accept()[0].close()
"""

MakeStack = Callable[..., Stack]


def _part(name: str, port: int, *, after: tuple[str, ...] = (), how: str = "polite", wait_s: float = 0) -> Part:
    return Part(
        name=name,
        command=(sys.executable, "-S", "-c", _LISTENER, str(port), how, str(wait_s)),
        ports={"redis": port},
        ready=(ReadyCheck("tcp", port),),
        address=f"127.0.0.1:{port}",
        after=after,
        deadline_seconds=10,
    )


def _broken(name: str, script: str, port: int = 1, deadline_seconds: float = 10) -> Part:
    return Part(
        name=name,
        command=("/bin/sh", "-c", script),
        ports={},
        ready=(ReadyCheck("tcp", port),),
        address="nowhere",
        deadline_seconds=deadline_seconds,
    )


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
async def make_stack(tmp_path: Path, lines: list[str]) -> AsyncIterator[MakeStack]:
    made: list[Stack] = []

    def make(*parts: Part, preparations: list[Preparation] | None = None) -> Stack:
        stack = Stack(list(parts), preparations or [], tmp_path, lines.append)
        made.append(stack)
        return stack

    yield make
    for stack in made:
        await stack.stop()


def _pid(stack: Stack, name: str) -> int:
    return next(int(str(part["pid"])) for part in stack.status() if part["name"] == name)


def _state(stack: Stack, name: str) -> object:
    return next(part["state"] for part in stack.status() if part["name"] == name)


async def _eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_part_starts_when_what_it_needs_is_ready(
    make_stack: MakeStack, lines: list[str], tmp_path: Path
) -> None:
    first, second = free_ports(2)
    sign = tmp_path / "prepared"
    preparation = Preparation("database", ("/bin/sh", "-c", f"touch {sign}"), after=("store",))
    stack = make_stack(
        _part("app", second, after=("store", "database")),
        _part("store", first, wait_s=0.2),
        preparations=[preparation],
    )
    await stack.start()
    assert [line.split()[0] for line in lines] == ["store", "database", "app"]
    assert sign.exists()
    assert lines[2].split()[1] == f"127.0.0.1:{second}"
    assert "listening" in (tmp_path / "app.log").read_text()


async def test_stopping_ends_children_of_children_and_the_stubborn(make_stack: MakeStack, tmp_path: Path) -> None:
    ports = free_ports(2)
    stack = make_stack(_part("polite", ports[0]), _part("stubborn", ports[1], how="stubborn"))
    await stack.start()
    pids = [_pid(stack, name) for name in ("polite", "stubborn")]
    logs = [tmp_path / f"{name}.log" for name in ("polite", "stubborn")]
    await _eventually(lambda: all("child" in log.read_text() for log in logs))
    children = [int(log.read_text().partition("child ")[2].split()[0]) for log in logs]
    started = time.monotonic()
    await stack.stop()
    assert time.monotonic() - started < 8
    await _eventually(lambda: not any(exists(pid) for pid in (*pids, *children)))
    assert not any(listens(port) for port in ports)


async def test_a_part_that_ends_at_its_start_is_reported_with_its_log(make_stack: MakeStack) -> None:
    stack = make_stack(_broken("speech", "echo the model is broken >&2; exit 3"))
    with pytest.raises(PartFailed) as failure:
        await stack.start()
    text = str(failure.value)
    assert text.startswith("speech ended with status 3 before it was ready\n    the model is broken\n")
    assert "speech.log" in text


async def test_a_part_that_never_gets_ready_is_ended_at_its_deadline(make_stack: MakeStack) -> None:
    [port] = free_ports(1)
    stack = make_stack(_broken("speech", "echo loading; exec sleep 60", port, deadline_seconds=0.5))
    with pytest.raises(PartFailed, match="speech was not ready within 0 s\n    loading"):
        await stack.start()
    assert _state(stack, "speech") == "died"


async def test_a_preparation_that_fails_is_reported_and_the_app_does_not_start(make_stack: MakeStack) -> None:
    first, second = free_ports(2)
    stack = make_stack(
        _part("store", first),
        _part("app", second, after=("database",)),
        preparations=[Preparation("database", ("/bin/sh", "-c", "echo no such table; exit 1"), after=("store",))],
    )
    with pytest.raises(PartFailed, match="database ended with status 1\n    no such table"):
        await stack.start()
    assert _state(stack, "app") == "stopped"


async def test_a_part_that_dies_is_reported_once_and_can_be_started_again(
    make_stack: MakeStack, lines: list[str]
) -> None:
    [port] = free_ports(1)
    stack = make_stack(_part("redis", port))
    await stack.start()
    lines.clear()
    os.kill(_pid(stack, "redis"), signal.SIGKILL)
    await _eventually(lambda: lines)
    assert lines[0].startswith("! redis was ended by SIGKILL\n")
    assert "python -m local_stack start redis" in lines[0]
    assert _state(stack, "redis") == "died"
    assert "ready" in await stack.start_again("redis")
    assert listens(port)
    assert await stack.start_again("redis") == "redis runs already"
    assert len(lines) == 1


async def test_killing_on_command_is_a_crash_that_nobody_reports(make_stack: MakeStack, lines: list[str]) -> None:
    [port] = free_ports(1)
    stack = make_stack(_part("app", port))
    await stack.start()
    lines.clear()
    before = _pid(stack, "app")
    assert await stack.kill("app") == "app is killed"
    assert not listens(port)
    assert _state(stack, "app") == "stopped"
    await stack.start_again("app")
    assert _pid(stack, "app") != before
    assert lines == []


async def test_a_restart_is_a_new_process_at_the_same_place(make_stack: MakeStack) -> None:
    [port] = free_ports(1)
    stack = make_stack(_part("app", port))
    await stack.start()
    before = _pid(stack, "app")
    assert (await stack.restart("app")).startswith("app is ready again after ")
    assert not exists(before)
    assert listens(port)


async def test_an_unknown_part_is_named(make_stack: MakeStack) -> None:
    stack = make_stack(_part("app", free_ports(1)[0]))
    with pytest.raises(CommandRefused, match="still starting"):
        await stack.kill("app")
    await stack.start()
    with pytest.raises(CommandRefused, match="'apps' is no part of this stack; there are app"):
        await stack.kill("apps")


async def test_ports_are_checked_before_anything_starts(make_stack: MakeStack, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        stack = make_stack(_part("redis", port))
        with pytest.raises(PortTaken, match=f"port {port} for redis is taken .* set LOCAL_REDIS_PORT"):
            stack.require_free_ports()
    assert not (tmp_path / "redis.log").exists()


async def test_the_log_of_the_run_before_is_kept(make_stack: MakeStack, tmp_path: Path) -> None:
    [port] = free_ports(1)
    (tmp_path / "app.log").write_text("the run before\n")
    await make_stack(_part("app", port)).start()
    assert (tmp_path / "app.log.1").read_text() == "the run before\n"
