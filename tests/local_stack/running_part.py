"""A part of the stack as a real process, for tests that look at it from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 30.0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def until(condition: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> None:
    """Return when the condition holds, fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Tell whether somebody listens on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def exists(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start `python -m ARGUMENTS` in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def running(*arguments: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m ARGUMENTS` while the block runs; nothing of its group is left afterwards."""
    process = start(*arguments, **environment)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> int:
    """Signal the process, wait for its end, kill what is left of its group, return its status."""
    process.send_signal(how)
    try:
        process.wait(10)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        if process.stdout:
            process.stdout.close()
    return process.returncode
