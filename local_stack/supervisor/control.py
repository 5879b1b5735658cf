"""The line from later commands to a running supervisor: a Unix socket in the state folder."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local_stack.supervisor.process import PartFailed
from local_stack.supervisor.stack import CommandRefused, Stack

_ANSWER_DEADLINE_SECONDS = 120
_REQUEST_DEADLINE_SECONDS = 5


class NotRunning(Exception):
    """No supervisor runs on this state folder, or one runs already; the text is one line."""


@asynccontextmanager
async def listening(state_dir: Path, stack: Stack, shut_down: asyncio.Event) -> AsyncIterator[None]:
    """Answer commands while the block runs; only one supervisor can do so in a state folder.

    Raises:
        NotRunning: another supervisor runs on this state folder.
    """
    with (state_dir / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise NotRunning(f"a stack runs already on {state_dir}: end it with make stop") from problem
        folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
        server = None
        try:
            (state_dir / "control.sock").unlink(missing_ok=True)
            door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            door.bind(_address(folder))
            (state_dir / "control.sock").chmod(0o600)
            server = await asyncio.start_unix_server(_Handler(stack, shut_down).handle, sock=door)
            yield
        finally:
            if server is not None:
                server.close()
            (state_dir / "control.sock").unlink(missing_ok=True)
            os.close(folder)


def is_free(state_dir: Path) -> bool:
    """Tell whether no supervisor runs on this state folder."""
    path = state_dir / "supervisor.lock"
    if not path.exists():
        return True
    with path.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def send_command(state_dir: Path, command: str, **arguments: str) -> dict[str, object]:
    """Send a command to the running supervisor and return its answer (`ok`, `text`, …).

    Raises:
        NotRunning: there is none.
    """
    try:
        folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as problem:
        raise NotRunning("no stack runs here: start it with make run") from problem
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_ANSWER_DEADLINE_SECONDS)
            line.connect(_address(folder))
            line.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            with line.makefile("rb") as answers:
                answer = json.loads(answers.readline() or b"{}")
    except (FileNotFoundError, ConnectionRefusedError) as problem:
        raise NotRunning("no stack runs here: start it with make run") from problem
    finally:
        os.close(folder)
    if not isinstance(answer, dict) or "ok" not in answer:
        raise NotRunning("the stack ended while it was asked")
    return answer


def _address(folder: int) -> str:
    # Through the open folder, because the address of a Unix socket is at most 107 bytes long.
    return f"/proc/self/fd/{folder}/control.sock"


class _Handler:
    def __init__(self, stack: Stack, shut_down: asyncio.Event) -> None:
        self._stack = stack
        self._shut_down = shut_down

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_DEADLINE_SECONDS):
                request = json.loads(await reader.readline())
            answer = await self._answer(request)
        except (TimeoutError, ValueError, KeyError, TypeError) as problem:
            answer = {"ok": False, "text": f"the command was not understood: {problem}"}
        except (CommandRefused, PartFailed) as problem:
            answer = {"ok": False, "text": str(problem)}
        try:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            return  # who asked has gone; the command is carried out all the same
        finally:
            writer.close()

    async def _answer(self, request: dict[str, str]) -> dict[str, object]:
        command = request["command"]
        if command == "status":
            return {"ok": True, "parts": self._stack.status()}
        if command == "down":
            self._shut_down.set()
            return {"ok": True, "text": "the stack is being stopped"}
        if command == "restart":
            how = signal.SIGKILL if request.get("how") == "kill" else signal.SIGTERM
            return {"ok": True, "text": await self._stack.restart(request["part"], how=how)}
        if command == "kill":
            return {"ok": True, "text": await self._stack.kill(request["part"])}
        if command == "start":
            return {"ok": True, "text": await self._stack.start_again(request["part"])}
        return {"ok": False, "text": f"there is no command {command!r}"}
