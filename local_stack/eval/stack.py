"""The stack that is called: one of the evaluation's own, with the scripted or the local model, or the running one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from local_stack.eval.scenario import SCRIPTED
from local_stack.eval.trouble import CannotEvaluate
from local_stack.supervisor.addresses import PORTS, ROOT, Addresses
from local_stack.supervisor.control import is_free

_STARTED_WITHIN_S: Final = 180.0
_STOPPED_WITHIN_S: Final = 15.0
_UP: Final = "the stack is up"
_SHOWN_CHARS: Final = 600


@dataclass(frozen=True)
class CalledStack:
    """Where its parts are. `voices`: recordings that can stand in for callers' voices."""

    app_url: str
    speech_url: str
    phones_url: str
    identity_url: str
    state_dir: Path
    is_scripted: bool

    def voices(self) -> list[Mapping[str, Any]]:
        """Recorded sentences of people, in the order of their list, each with `id` and `file`."""
        folder = self.state_dir / "voices"
        try:
            listed = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CannotEvaluate(f"{folder}: no recorded voices there: {error}") from None
        return [{"id": voice["id"], "file": str(folder / voice["file"])} for voice in listed]


def _called(addresses: Addresses, *, is_scripted: bool) -> CalledStack:
    url = addresses.url
    return CalledStack(
        url("app"), url("speech"), url("phones"), url("identity"), addresses.state_dir, is_scripted=is_scripted
    )


async def running_stack(addresses: Addresses) -> CalledStack:
    """That of `make run`. Raises: CannotEvaluate."""
    stack = _called(addresses, is_scripted=False)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        if await _is_ready(session, stack.app_url):
            return stack
    raise CannotEvaluate(f"no stack is running at {stack.app_url}: start it with `make run`, or leave --running out")


@asynccontextmanager
async def own_stack(addresses: Addresses, model: str) -> AsyncIterator[CalledStack]:
    """Starts a stack beside whatever runs, and ends it: it knows nothing of an earlier one, and leaves its logs only.
    Ports are those that the environment names, else free ones.

    Raises: CannotEvaluate with what it printed.
    """
    state_dir = addresses.state_dir / "eval" / "stack"
    state_dir.mkdir(parents=True, exist_ok=True)
    if not is_free(state_dir):
        raise CannotEvaluate(f"an evaluation runs already on {state_dir}")
    _clear(state_dir)
    for shared in ("models", "voices"):
        _link(state_dir / shared, addresses.state_dir / shared, ROOT / ".local" / shared)
    ports = _ports()
    variables = {PORTS[name][0]: str(port) for name, port in ports.items()}
    environment = {**os.environ, **variables, "LOCAL_STATE_DIR": str(state_dir), "PYTHONUNBUFFERED": "1"}
    own = Addresses(state_dir, ports, addresses.host)
    is_scripted = model == SCRIPTED
    processes: list[asyncio.subprocess.Process] = []
    try:
        if is_scripted:
            speech = ("local_stack.speech", "--port", str(ports["speech"]), "--mode", "scripted")
            processes.append(await _launch(state_dir / "speech.log", environment, *speech))
        without = ("--without", "speech") if is_scripted else ()
        log = state_dir / "up.log"
        processes.append(await _launch(log, environment, "local_stack", "up", "--no-call", *without))
        await _until_up(processes, log, own.url("app"))
        yield _called(own, is_scripted=is_scripted)
    finally:
        for process in reversed(processes):
            await _stop(process)
        _clear(state_dir)


def _clear(state_dir: Path) -> None:
    """All but the logs. Links are taken away, and not what they lead to."""
    for entry in state_dir.iterdir():
        if entry.name == "logs" or entry.suffix == ".log":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _link(link: Path, *sources: Path) -> None:
    """Model files and voices are not fetched again."""
    if link.exists():
        return
    link.unlink(missing_ok=True)
    for source in sources:
        if source.is_dir():
            link.symlink_to(source)
            return


def _ports() -> dict[str, int]:
    """All different, and free at this moment where nobody has chosen them."""
    chosen: dict[str, int] = {}
    with ExitStack() as held:
        for name, (variable, _) in PORTS.items():
            if given := os.environ.get(variable):
                chosen[name] = int(given)
            else:
                probe = held.enter_context(socket.socket())
                probe.bind(("127.0.0.1", 0))
                chosen[name] = probe.getsockname()[1]
    return chosen


async def _launch(log: Path, environment: Mapping[str, str], *module: str) -> asyncio.subprocess.Process:
    with log.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *module,
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )


async def _until_up(processes: list[asyncio.subprocess.Process], log: Path, app_url: str) -> None:
    deadline = asyncio.get_running_loop().time() + _STARTED_WITHIN_S
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        while asyncio.get_running_loop().time() < deadline:
            if any(process.returncode is not None for process in processes):
                break
            if _UP in _printed(log) and await _is_ready(session, app_url):
                return
            await asyncio.sleep(0.2)
    raise CannotEvaluate(f"the stack did not come up: {' '.join(_printed(log).split())[-_SHOWN_CHARS:]}")


def _printed(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


async def _is_ready(session: aiohttp.ClientSession, app_url: str) -> bool:
    try:
        async with session.get(f"{app_url}/api/health/ready") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOPPED_WITHIN_S):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
