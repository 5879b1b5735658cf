"""A local stack for one benchmark: free ports, a state folder of its own, scripted speech and language."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring.ports import free_ports
from benchmarks.measuring.processes import all_stats, prefer, running_on
from local_stack.supervisor.addresses import PORTS, ROOT

STACK_CORE, CALLERS_CORE = 0, 1
SEED = Path(__file__).with_name("seed.json")
_UP_WITHIN_S = 90
_LEFT_OUT = "speech,phones,chroma"
"""The first two belong to the callers' side, the benchmark runs them itself; its agents know no documents."""


class StackFailed(Exception):
    """The stack or a command of it did not work; the text says which and shows the end of its output."""


@dataclass(frozen=True, slots=True)
class OwnStack:
    """Where the running stack is found."""

    state_dir: Path
    ports: dict[str, int]
    environment: dict[str, str]

    def url(self, part: str) -> str:
        return f"http://localhost:{self.ports[part]}"

    @property
    def secrets(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.state_dir / "secrets.json").read_text())
        return found

    def command(self, *arguments: str) -> str:
        """What `python -m local_stack …` prints. Raises: StackFailed."""
        return self._run("local_stack", *arguments)

    def pids(self) -> dict[str, int]:
        """The process of each part."""
        parts: list[dict[str, Any]] = json.loads(self.command("status", "--json"))
        return {part["name"]: part["pid"] for part in parts if part["pid"]}

    def seed(self, path: Path) -> None:
        """Put further agents and numbers into the database."""
        self._run("infra.database", "seed", str(path))

    def _run(self, module: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise StackFailed(f"{module} {arguments[0]} failed: {(done.stdout + done.stderr).strip()[-500:]}")
        return done.stdout.strip()


@contextmanager
def own_stack(*, pinned: bool, nice: int = 0) -> Iterator[OwnStack]:
    """The whole stack, up while the block runs. `pinned`: on its own core, apart from what it talks to.

    Raises: StackFailed.
    """
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="voice-benchmark-") as folder:
        state_dir = Path(folder)
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        variables = {PORTS[name][0]: str(port) for name, port in ports.items()}
        stack = OwnStack(
            state_dir,
            ports,
            {
                **os.environ,
                **variables,
                "LOCAL_STATE_DIR": str(state_dir),
                "DATABASE_URL": f"postgresql://voice@127.0.0.1:{ports['postgres']}/voice",
            },
        )
        speech_command = ("local_stack.speech", "--port", str(ports["speech"]), "--mode", "scripted")
        up_command = ("local_stack", "up", "--no-call", "--without", _LEFT_OUT)
        with (
            _process(stack, "speech", CALLERS_CORE if pinned else None, *speech_command) as speech,
            _process(stack, "up", STACK_CORE if pinned else None, *up_command) as supervisor,
        ):
            _wait_until_up(stack, speech, supervisor)
            stack.seed(SEED)
            with _preferred((os.getpid(), speech.pid, supervisor.pid), nice):
                yield stack


def _leave(*_: object) -> None:
    """Who ends the benchmark ends its stack."""
    raise SystemExit(128 + signal.SIGTERM)


@contextmanager
def _preferred(pids: tuple[int, ...], nice: int) -> Iterator[None]:
    if not nice:
        yield
        return
    for pid in pids:
        prefer(all_stats(), pid, nice)
    try:
        yield
    finally:
        prefer(all_stats(), os.getpid(), 0)


@contextmanager
def _process(
    stack: OwnStack, name: str, core: int | None, module: str, *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    with (stack.state_dir / f"{name}.log").open("wb") as log, running_on(core):
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, env={**stack.environment, "PYTHONUNBUFFERED": "1"}, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_up(stack: OwnStack, speech: subprocess.Popen[bytes], supervisor: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    output = stack.state_dir / "up.log"
    while time.monotonic() < deadline and speech.poll() is None and supervisor.poll() is None:
        if "the stack is up" in output.read_text() and _answers(f"{stack.url('speech')}/health"):
            return
        time.sleep(0.1)
    said = "".join((stack.state_dir / f"{name}.log").read_text()[-1500:] for name in ("speech", "up"))
    raise StackFailed(f"the stack did not come up within {_UP_WITHIN_S} s:\n{said}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
