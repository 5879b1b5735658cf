"""AWS Lambda: keeps containers warm, gives each invocation one of its own, and stops those that take too long."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_RUNTIME: Final = Path(__file__).with_name("lambda_runtime.py")
_LINE_BYTES: Final = 8 * 1024 * 1024
_STARTS_WITHIN_S: Final = 10.0


class FunctionError(Exception):
    """The invocation came to nothing; the message is one line. `timed_out`: it was stopped."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


@dataclass
class Functions:
    """The shipped function, with the environment that its template gives it."""

    folder: Path
    environment: Mapping[str, str]
    _idle: list[asyncio.subprocess.Process] = field(default_factory=list)
    _all: set[asyncio.subprocess.Process] = field(default_factory=set)

    async def invoke(self, event: Mapping[str, Any], limit_s: float, request_id: str = "") -> Any:
        """What the function returns. Raises: FunctionError."""
        container = self._idle.pop() if self._idle else await self._start()
        asked = {"event": event, "request_id": request_id or str(uuid.uuid4()), "limit_ms": round(limit_s * 1000)}
        is_whole = False
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._ask(container, asked)
                is_whole = True
        except TimeoutError:
            raise FunctionError(f"no result within {limit_s:g} s", timed_out=True) from None
        finally:
            if is_whole:
                self._idle.append(container)
            else:
                await self._stop(container)
        if "error" in answer:
            raise FunctionError(str(answer["error"])[:300])
        return answer.get("result")

    async def _ask(self, container: asyncio.subprocess.Process, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: FunctionError where the container has died."""
        if container.stdin is None or container.stdout is None:
            raise FunctionError("the container has no pipes")
        container.stdin.write(json.dumps(asked).encode() + b"\n")
        await container.stdin.drain()
        line = await container.stdout.readline()
        if not line:
            raise FunctionError("the container has died")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        async with asyncio.timeout(_STARTS_WITHIN_S):
            container = await asyncio.create_subprocess_exec(
                sys.executable,
                str(_RUNTIME),
                str(self.folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1", **self.environment},
                limit=_LINE_BYTES,
            )
        self._all.add(container)
        return container

    async def _stop(self, container: asyncio.subprocess.Process) -> None:
        self._all.discard(container)
        if container.returncode is None:
            container.kill()
        await container.wait()

    async def close(self) -> None:
        self._idle.clear()
        for container in tuple(self._all):
            await self._stop(container)
