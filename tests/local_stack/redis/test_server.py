"""The real server: streams work, and what was written is there after a crash."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotThere

from tests.local_stack.running_part import end, free_ports, running, until


def _answers(port: int) -> bool:
    with Redis(port=port) as client:
        try:
            return bool(client.ping())
        except NotThere:
            return False


def test_streams_and_groups_survive_a_clean_stop(tmp_path: Path) -> None:
    [port] = free_ports(1)
    command = ("local_stack.redis", "--port", port, "--state-dir", tmp_path)
    with running(*command) as server:
        until(lambda: _answers(port))
        with Redis(port=port) as client:
            assert client.xadd("pipe", {"frame": b"\x00\xff"}, id="5-1") == b"5-1"
            client.xgroup_create("pipe", "listeners", "0")
            client.xreadgroup("listeners", "first", {"pipe": ">"})
        assert end(server) == 0
    with running(*command):
        until(lambda: _answers(port))
        with Redis(port=port) as client:
            _, entries, *_ = client.xautoclaim("pipe", "listeners", "second", 0)
            assert entries == [(b"5-1", {b"frame": b"\x00\xff"})]


def test_what_was_synced_survives_a_crash(tmp_path: Path) -> None:
    [port] = free_ports(1)
    command = ("local_stack.redis", "--port", port, "--state-dir", tmp_path)
    with running(*command) as server:
        until(lambda: _answers(port))
        with Redis(port=port) as client:
            client.set("word", "kept")
        end(server, signal.SIGKILL)
    with running(*command):
        until(lambda: _answers(port))
        with Redis(port=port) as client:
            assert client.get("word") == b"kept"


def test_a_taken_port_is_status_2_and_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with running("local_stack.redis", "--port", port, "--state-dir", tmp_path) as server:
            assert server.wait(20) == 2
            assert server.stdout is not None
            assert server.stdout.read() == (
                f"port {port} for redis is taken by another program: set LOCAL_REDIS_PORT to a free one\n"
            )
