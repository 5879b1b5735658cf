"""The official JavaScript SDKs, client and service, against the endpoint."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from aiohttp import web

from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY
from tests.local_stack.web_pubsub.conftest import Stack
from tests.local_stack.web_pubsub.webhook import Received

NODE_FOLDER = Path(__file__).parent / "node"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js with npm is not installed"),
]


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """The packages of the lock file, installed once; an unchanged lock file is not installed again."""
    lock, installed = NODE_FOLDER / "package-lock.json", NODE_FOLDER / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=NODE_FOLDER, check=True, capture_output=True, timeout=180
    )


# The SDK closes its WebSocket without a status code, which is no final good-bye of a reliable client.
@pytest.mark.parametrize("limits", [{"recoveryWindowSeconds": 2}])
@pytest.mark.parametrize("kind", ["json", "reliable"])
async def test_client_and_service_sdk(stack: Stack, kind: str) -> None:
    async def answer(event: Received) -> web.Response:
        return web.Response(text=f"heard {event.body.decode()}")

    stack.webhook.answers["speak"] = answer
    process = await asyncio.create_subprocess_exec(
        "node",
        "compatibility.mjs",
        stack.connection_string,
        stack.url,
        LOCAL_ACCESS_KEY,
        kind,
        cwd=NODE_FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(40):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    report = json.loads(output)
    assert report["seen"][:7] == [
        ["group", "room", "text"],
        ["group", "room", {"a": 1}],
        ["group", "room", [0, 255]],
        ["server", "heard hello"],
        ["server", "to user"],
        ["server", [1, 2]],
        ["group", "room", {"from": "service"}],
    ]
    assert (report["exists"], report["inGroup"], report["permitted"]) == (True, True, True)
    assert report["forbidden"] == "Forbidden"
    if kind == "reliable":
        assert report["recovered"] is True
        assert report["seen"][7] == ["server", "while away"]
    await stack.webhook.wait_for("disconnected")
