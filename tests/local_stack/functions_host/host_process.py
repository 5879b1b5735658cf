"""Starts the host as a process of its own, as people do, and asks it from outside."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

APPS = Path(__file__).parent / "apps"
SAMPLE_APP = APPS / "sample"
REPOSITORY = Path(__file__).parents[3]
_READY = re.compile(r"host runs \d+ functions on http://localhost:(\d+)")
_FINISHED = {"Completed", "Failed", "Terminated", "Canceled"}


class HostProcess:
    """One host with its log in a file; `start` may be called again after `kill`."""

    def __init__(
        self, state_dir: Path, app: Path = SAMPLE_APP, *options: str, env: dict[str, str] | None = None
    ) -> None:
        self.state_dir = state_dir
        self._app = app
        self._options = options
        self._env = os.environ | {"PYTHONPATH": str(REPOSITORY)} | (env or {})
        self._log = state_dir.parent / f"{state_dir.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhooks(self) -> str:
        return f"{self.url}/runtime/webhooks/durabletask"

    @property
    def log_text(self) -> str:
        return self._log.read_text("utf-8", "replace")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def launch(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "local_stack.functions_host", "--port", str(port)]
        command += ["--app-root", str(self._app), "--state-dir", str(self.state_dir), *self._options]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=self._env, cwd=REPOSITORY
            )

    def start(self) -> None:
        self.launch()
        deadline = time.monotonic() + 30
        while (match := _READY.search(self.log_text)) is None:
            assert self.process.poll() is None, self.log_text
            assert time.monotonic() < deadline, self.log_text
            time.sleep(0.02)
        self.port = int(match.group(1))

    def wait_for_exit(self, timeout_s: float = 10) -> int:
        return self.process.wait(timeout_s)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait_for_exit()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(5)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


class Orchestrations:
    """Starts, asks and drives orchestrations over the webhooks of a host."""

    def __init__(self, client: httpx.AsyncClient, host: HostProcess) -> None:
        self.client = client
        self.host = host

    async def start(self, name: str, given: Any = None, instance_id: str | None = None) -> str:
        """Start by the app's own client function, which uses the SDK."""
        response = await self.client.post(
            f"{self.host.url}/start/{name}",
            params={"id": instance_id} if instance_id else None,
            json={} if given is None else given,
        )
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    async def raise_event(self, instance_id: str, name: str, value: Any = None) -> int:
        url = f"{self.host.webhooks}/instances/{instance_id}/raiseEvent/{name}"
        headers = {"Content-Type": "application/json"}
        return (await self.client.post(url, content=json.dumps(value), headers=headers)).status_code

    async def control(self, instance_id: str, operation: str, reason: str = "because") -> int:
        url = f"{self.host.webhooks}/instances/{instance_id}/{operation}"
        return (await self.client.post(url, params={"reason": reason})).status_code

    async def status(self, instance_id: str, **query: str) -> dict[str, Any]:
        response = await self.client.get(f"{self.host.webhooks}/instances/{instance_id}", params=query)
        assert response.status_code in (200, 202), response.text
        return dict(response.json())

    async def wait_for(
        self, instance_id: str, statuses: set[str] | None = None, timeout_s: float = 10
    ) -> dict[str, Any]:
        async with asyncio.timeout(timeout_s):
            while True:
                status = await self.status(instance_id)
                if status["runtimeStatus"] in (statuses or _FINISHED):
                    return status
                await asyncio.sleep(0.01)

    async def wait_for_custom_status(self, instance_id: str, wanted: Any) -> None:
        async with asyncio.timeout(10):
            while (await self.status(instance_id))["customStatus"] != wanted:
                await asyncio.sleep(0.01)

    async def run(self, name: str, given: Any = None) -> Any:
        """Start, wait for completion, return the output."""
        status = await self.wait_for(await self.start(name, given))
        assert status["runtimeStatus"] == "Completed", status
        return status["output"]

    async def use_client(self, operation: str, instance: str, **arguments: Any) -> httpx.Response:
        """Call a method of the SDK's client inside the app."""
        return await self.client.post(f"{self.host.url}/client/{operation}/{instance}", json=arguments)
