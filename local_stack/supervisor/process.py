"""One running part: its process group, its log file, and how it ended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from local_stack.supervisor.addresses import ROOT
from local_stack.supervisor.part import Part, Preparation
from local_stack.supervisor.readiness import wait_until_ready

TAIL_LINES = 12
_TAIL_BYTES = 8192
_SETTLE_SECONDS = 0.02

State = Literal["stopped", "starting", "ready", "died"]


class PartFailed(Exception):
    """A part did not come up or a preparation failed; the text is a line and the tail of its log."""


class PartProcess:
    """A part and, while it runs, its process (the leader of a session and group of its own)."""

    def __init__(self, part: Part, log_dir: Path, tell_watchdog: Callable[[str], None]) -> None:
        self.part = part
        self.log_path = log_dir / f"{part.name}.log"
        self.state: State = "stopped"
        self.took_ms = 0.0
        self._tell_watchdog = tell_watchdog
        self._process: asyncio.subprocess.Process | None = None
        self._end_is_expected = False

    @property
    def pid(self) -> int | None:
        """The process id of the leader, or None when the part does not run."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process and wait until the part is ready.

        Raises:
            PartFailed: it ended, or was not ready within its deadline (and is stopped then).
        """
        started = time.monotonic()
        self._end_is_expected = False
        self.state = "starting"
        self._process = await _spawn(self.part.command, self.part.environment, self.log_path)
        self._tell_watchdog(f"+{self._process.pid}")
        ready = asyncio.ensure_future(wait_until_ready(self.part.ready))
        ended = asyncio.ensure_future(self._process.wait())
        try:
            async with asyncio.timeout(self.part.deadline_seconds):
                await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            await self.stop(patience_seconds=1.0)
            self.state = "died"
            seconds = f"{self.part.deadline_seconds:.0f} s"
            raise PartFailed(f"{self.part.name} was not ready within {seconds}{self.tail()}") from None
        finally:
            ready.cancel()
            ended.cancel()
        if self._process.returncode is not None:
            status = self._process.returncode
            self._forget()
            self.state = "died"
            raise PartFailed(f"{self.part.name} {describe(status)} before it was ready{self.tail()}")
        self.took_ms = (time.monotonic() - started) * 1000
        self.state = "ready"

    async def unexpected_end(self) -> str | None:
        """Wait for the end of the process; return a line about it, or None if somebody asked for it."""
        process = self._process
        if process is None:
            return None
        status = await process.wait()
        if self._end_is_expected or self._process is not process:
            return None
        self._forget()
        self.state = "died"
        return f"{self.part.name} {describe(status)}{self.tail()}"

    async def stop(self, *, patience_seconds: float, how: signal.Signals = signal.SIGTERM) -> None:
        """Signal the whole group, wait for its leader, and kill whatever is left of the group."""
        if self._process is None:
            return
        self._end_is_expected = True
        self._signal(how)
        try:
            async with asyncio.timeout(patience_seconds):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()
        self._forget()
        self.state = "stopped"

    def tail(self) -> str:
        """Return the last lines of the log, indented, or nothing."""
        return tail(self.log_path)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def _forget(self) -> None:
        # Children of a dead leader stay in its group; none of them may outlive the part.
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._tell_watchdog(f"-{self._process.pid}")
        self._process = None


async def run_preparation(preparation: Preparation, log_dir: Path) -> float:
    """Run the command to its end and return how long it took, in ms.

    Raises:
        PartFailed: it failed or took too long.
    """
    started = time.monotonic()
    log_path = log_dir / f"{preparation.name}.log"
    process = await _spawn(preparation.command, preparation.environment, log_path)
    try:
        async with asyncio.timeout(preparation.deadline_seconds):
            status = await process.wait()
    except TimeoutError:
        limit = f"{preparation.deadline_seconds:.0f} s"
        raise PartFailed(f"{preparation.name} was not done within {limit}{tail(log_path)}") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if status != 0:
        raise PartFailed(f"{preparation.name} {describe(status)}{tail(log_path)}")
    return (time.monotonic() - started) * 1000


def describe(status: int) -> str:
    """Say in words how a process ended."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def tail(path: Path) -> str:
    """Return the last lines of a file, indented under a line that names it; nothing if it is empty."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    last = [line for line in lines if line.strip()][-TAIL_LINES:]
    return "".join(f"\n    {line}" for line in last) + (f"\n    (all of it: {path})" if last else "")


def _new_log(path: Path) -> BinaryIO:
    if path.exists():
        path.replace(path.with_suffix(".log.1"))
    return path.open("wb")


async def _spawn(command: tuple[str, ...], environment: dict[str, str], log_path: Path) -> asyncio.subprocess.Process:
    with _new_log(log_path) as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            start_new_session=True,
        )
