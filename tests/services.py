"""Real services for tests, started from the local stack's parts and stopped again with their tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

CHECKOUT = Path(__file__).parents[1]
_START_DEADLINE_S = 60.0
_STOP_DEADLINE_S = 10.0

# Azurite's published account, the same on every machine.
# Source: https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def running_postgres(state_dir: Path) -> Iterator[str]:
    """A PostgreSQL server with the empty database `voice`; gives its DSN."""
    port = free_port()
    dsn = f"postgresql://voice@127.0.0.1:{port}/voice"

    def answers() -> bool:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    with _running("postgres", ["--port", str(port), "--state-dir", str(state_dir)], state_dir, answers):
        yield dsn


@contextmanager
def running_azurite(state_dir: Path) -> Iterator[str]:
    """An Azurite with nothing in it; gives its connection string for blobs."""
    blob, queue, table = free_port(), free_port(), free_port()
    ports = ["--blob-port", str(blob), "--queue-port", str(queue), "--table-port", str(table)]

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", blob)) == 0

    with _running("azurite", [*ports, "--state-dir", str(state_dir)], state_dir, answers):
        yield blob_connection_string(blob)


@contextmanager
def running_redis(state_dir: Path, port: int | None = None) -> Iterator[str]:
    """A Redis that keeps its data in `state_dir`; gives its URL."""
    port = port or free_port()

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with _running("redis", ["--port", str(port), "--state-dir", str(state_dir)], state_dir, answers):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def running_chroma(state_dir: Path) -> Iterator[str]:
    """A Chroma with nothing in it; gives its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/api/v2/heartbeat", timeout=2):
                return True
        except OSError:
            return False

    with _running("chroma", ["--port", str(port), "--state-dir", str(state_dir)], state_dir, answers):
        yield url


def blob_connection_string(port: int) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={_AZURITE_KEY};"
        f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )


def migrate(dsn: str, *step: str, auth: str = "password") -> subprocess.CompletedProcess[str]:
    """Run `python -m infra.database STEP…` against this database."""
    return subprocess.run(
        [sys.executable, "-m", "infra.database", *step],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": dsn, "DATABASE_AUTH": auth},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(part: str, options: list[str], state_dir: Path, answers: Callable[[], bool]) -> Iterator[None]:
    state_dir.mkdir(parents=True, exist_ok=True)
    log = state_dir.with_name(f"{state_dir.name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"local_stack.{part}", *options], cwd=CHECKOUT, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + _START_DEADLINE_S
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{part} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
