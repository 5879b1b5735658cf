"""The real server: what was written is there after a crash, and it can be missing in one clear line."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import httpx

from tests.local_stack.running_part import end, free_ports, running, until

_COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/heartbeat").status_code == 200
    except httpx.TransportError:
        return False


def test_what_was_written_survives_a_crash_and_it_ends_when_told(tmp_path: Path) -> None:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = ("local_stack.chroma", "--port", port, "--state-dir", tmp_path)
    with running(*command) as server:
        until(lambda: _answers(url))
        made = httpx.post(f"{url}{_COLLECTIONS}", json={"name": "kept"}).json()
        upsert = f"{url}{_COLLECTIONS}/{made['id']}/upsert"
        assert httpx.post(upsert, json={"ids": ["a"], "embeddings": [[1.0, 0.0]], "documents": ["a"]}).is_success
        end(server, signal.SIGKILL)
    with running(*command) as server:
        until(lambda: _answers(url))
        assert httpx.get(f"{url}{_COLLECTIONS}/{made['id']}/count").json() == 1
        assert end(server) == 0


def test_a_taken_port_is_status_2_and_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with running("local_stack.chroma", "--port", port, "--state-dir", tmp_path) as server:
            assert server.wait(20) == 2
            assert server.stdout is not None
            assert server.stdout.read() == (
                f"port {port} for chroma is taken by another program: set LOCAL_CHROMA_PORT to a free one\n"
            )


def test_a_missing_module_is_one_line(tmp_path: Path) -> None:
    with running("local_stack.chroma", "--state-dir", tmp_path, "--models-dir", tmp_path) as server:
        assert server.wait(20) == 1
        assert server.stdout is not None
        assert server.stdout.read().startswith("Chroma is missing: run make setup")
