"""Installs another framework into an environment of its own and runs our small server on it."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring.ports import free_ports
from benchmarks.measuring.processes import running_on
from local_stack.supervisor.addresses import ROOT

PEERS = ROOT / ".local" / "peers"
_HERE = Path(__file__).parent
_INSTALLED_WITHIN_S = 900
_LISTENS_WITHIN_S = 60.0
_ENDS_WITHIN_S = 10


class NoPeer(Exception):
    """The framework cannot be installed or started here; the message is one line."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A framework. `patience_ms`: the silence that ends a turn, by variant."""

    name: str
    title: str
    patience_ms: dict[str, int]

    @property
    def requirements(self) -> Path:
        """Every package of its environment with its exact version."""
        return _HERE / f"{self.name}.txt"

    @property
    def server(self) -> Path:
        return _HERE / f"{self.name}_server.py"


PIPECAT = Peer("pipecat", "pipecat 1.14.0", {"default": 200, "lowlat": 100})
LIVEKIT = Peer("livekit", "livekit-agents 1.8.9", {"default": 250, "lowlat": 100})
ALL = {peer.name: peer for peer in (PIPECAT, LIVEKIT)}
VARIANTS = ("default", "lowlat")


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """Its process, where callers connect, and how long it took from nothing to listening."""

    pid: int
    url: str
    start_ms: float


def install(peer: Peer, folder: Path = PEERS) -> Path:
    """Its Python, in an environment that has exactly the listed packages. Raises: NoPeer."""
    home = folder / peer.name
    python, stamp = home / "bin" / "python", home / ".installed"
    wanted = hashlib.sha256(peer.requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {peer.title} into {home} …", file=sys.stderr, flush=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(home)], [*pip, "--no-deps", "-r", str(peer.requirements)]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALLED_WITHIN_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoPeer(f"{peer.title} cannot be installed: {error}") from None
        if done.returncode != 0:
            told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
            raise NoPeer(f"{peer.title} cannot be installed: {' '.join(told[-1:])[:300]}")
    stamp.write_text(wanted)
    return python


@contextmanager
def running(peer: Peer, variant: str, *, speech_url: str, core: int | None) -> Iterator[RunningPeer]:
    """Our server on the framework, listening, while the block runs. Raises: NoPeer."""
    python = install(peer)
    (port,) = free_ports(1)
    settings = {"PEER_PORT": str(port), "PEER_VARIANT": variant, "SPEECH_URL": speech_url}
    log = PEERS / f"{peer.name}.log"
    with log.open("wb") as output, running_on(core):
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(python), str(peer.server)],
            env={**os.environ, **settings}, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        while not _listens(port):
            if process.poll() is not None or time.perf_counter() - started > _LISTENS_WITHIN_S:
                told = " ".join(log.read_text(errors="replace").split())[-300:]
                raise NoPeer(f"{peer.title} does not start (all of it in {log}): {told}")
            time.sleep(0.005)
        took_ms = (time.perf_counter() - started) * 1000
        yield RunningPeer(process.pid, f"ws://127.0.0.1:{port}/media", round(took_ms, 1))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False
