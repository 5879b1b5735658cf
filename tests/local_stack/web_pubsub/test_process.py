"""The endpoint as a process: ready, stopped, refused."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_stack.web_pubsub.defaults import default_config

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "local_stack.web_pubsub", "--port", str(port), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=5)


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as response:
                assert json.load(response)["status"] == "ok"
                return
        except urllib.error.URLError:
            assert time.monotonic() < deadline, "not ready in time"
            time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_with_0_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    config = tmp_path / "config.json"
    config.write_text(json.dumps(default_config(port=port)))
    with started(port, "--config", str(config)) as process:
        wait_until_ready(port)
        process.send_signal(number)
        assert process.wait(timeout=5) == 0


def test_stops_in_time_though_a_client_hangs_and_upstream_is_away(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "config.json"
    config.write_text(json.dumps(default_config(port=port, app_base_url=f"http://localhost:{free_port()}")))
    with started(port, "--config", str(config)) as process, socket.socket() as client:
        wait_until_ready(port)
        client.connect(("127.0.0.1", port))
        client.sendall(
            b"GET /client/hubs/carriers HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


def test_taken_port_is_exit_code_2_and_one_line() -> None:
    port = free_port()
    with started(port):
        wait_until_ready(port)
        with started(port) as second:
            _, said = second.communicate(timeout=10)
            assert second.returncode == 2
            assert said == f"web_pubsub: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_wrong_configuration_is_exit_code_2_and_one_line(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"endpoint": "x"}')
    with started(free_port(), "--config", str(config)) as process:
        _, said = process.communicate(timeout=10)
        assert process.returncode == 2
        assert said == "web_pubsub: endpoint must be an absolute http or https URL\n"
