"""`python -m local_stack up` as people and scripts use it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_stack.running_part import ROOT, end, exists, free_ports, listens, running, until

pytestmark = pytest.mark.slow

# Longer than the address of a Unix socket may be.
DEEP = "a-folder-with-a-long-name-" * 4


class Up:
    """A stack of two parts, redis and identity."""

    def __init__(self, folder: Path) -> None:
        self.state_dir = folder / DEEP / ".local"
        self.redis, self.identity = free_ports(2)
        self.environment = {
            "LOCAL_STATE_DIR": str(self.state_dir),
            "LOCAL_REDIS_PORT": str(self.redis),
            "LOCAL_IDENTITY_PORT": str(self.identity),
        }
        self.command = ("local_stack", "up", "--no-call", "--only", "redis,identity")

    def run(self) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
        return running(*self.command, **self.environment)

    def wait(self) -> None:
        until(lambda: listens(self.redis) and self.tell("status").returncode == 0 and self.ready())

    def ready(self) -> bool:
        return {part["state"] for part in self.parts()} == {"ready"}

    def parts(self) -> list[dict[str, object]]:
        parts: list[dict[str, object]] = json.loads(self.tell("status", "--json").stdout)
        return parts

    def tell(self, *words: str) -> subprocess.CompletedProcess[str]:

        return subprocess.run(
            [sys.executable, "-m", "local_stack", *words],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def up(tmp_path: Path) -> Up:
    return Up(tmp_path)


def test_commands_reach_the_running_stack_and_ctrl_c_ends_everything(up: Up) -> None:
    with up.run() as supervisor:
        up.wait()
        pids = {str(part["name"]): int(str(part["pid"])) for part in up.parts()}
        assert up.tell("restart", "redis", "--kill").returncode == 0
        after = {str(part["name"]): int(str(part["pid"])) for part in up.parts()}
        assert after["redis"] != pids["redis"]
        assert after["identity"] == pids["identity"]
        unknown = up.tell("restart", "radio")
        assert (unknown.returncode, unknown.stderr.startswith("'radio' is no part")) == (1, True)
        token = up.tell("token", "--role", "caller")
        assert token.stdout.count(".") == 2, token.stderr
        second = up.tell("up", "--no-call", "--only", "redis")
        assert second.returncode == 2
        assert "a stack runs already on" in second.stderr
        supervisor.send_signal(signal.SIGINT)
        assert supervisor.wait(10) == 0
        until(lambda: not any(exists(pid) for pid in after.values()), 2)
    assert not listens(up.redis)
    stopped = up.tell("status")
    assert (stopped.returncode, stopped.stderr) == (2, "no stack runs here: start it with make run\n")
    assert up.tell("down", "--wait").returncode == 0


def test_when_the_supervisor_is_killed_its_parts_go_too(up: Up) -> None:
    with up.run() as supervisor:
        up.wait()
        pids = [int(str(part["pid"])) for part in up.parts()]
        end(supervisor, signal.SIGKILL)
        until(lambda: not any(exists(pid) for pid in pids), 10)
    with up.run():
        up.wait()


def test_down_waits_for_the_end(up: Up) -> None:
    with up.run() as supervisor:
        up.wait()
        assert up.tell("down", "--wait").returncode == 0
        assert supervisor.wait(5) == 0
        assert not listens(up.redis)


def test_a_taken_port_ends_it_before_anything_starts(up: Up) -> None:
    with socket.create_server(("127.0.0.1", up.identity)), up.run() as supervisor:
        assert supervisor.wait(20) == 2
        assert supervisor.stdout is not None
        assert f"port {up.identity} for identity is taken by another program" in supervisor.stdout.read()
    assert not (up.state_dir / "redis").exists()


def test_an_unknown_part_is_refused(up: Up) -> None:
    answer = up.tell("up", "--only", "radio")
    assert answer.returncode == 2
    assert answer.stderr.startswith("'radio' is no part; there are postgres, redis")
