"""The process behind the event handler is killed in the middle of calls and comes back: no frame is lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

from local_stack.web_pubsub.defaults import connection_string, default_config
from tests.local_stack.web_pubsub.test_process import free_port, started, wait_until_ready

pytestmark = pytest.mark.slow

FRAMES = 150
CALLS = 5
DEADLINE_S = 25


def start_handler(port: int) -> subprocess.Popen[bytes]:
    """An event handler that echoes frames."""
    return subprocess.Popen([sys.executable, "-m", "benchmarks.web_pubsub", "--handler-port", str(port)])


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Ports of a running endpoint and of its handler, which is not running."""
    port, handler_port = free_port(), free_port()
    config = tmp_path / "config.json"
    config.write_text(json.dumps(default_config(port=port, app_base_url=f"http://127.0.0.1:{handler_port}")))
    with started(port, "--config", str(config), "--log-level", "error"):
        wait_until_ready(port)
        yield port, handler_port


async def talk(socket: aiohttp.ClientWebSocketResponse) -> list[int]:
    """Send numbered frames at the pace of speech; gives the numbers that came back."""

    async def send() -> None:
        for number in range(FRAMES):
            await socket.send_bytes(number.to_bytes(2, "big") + bytes(638))
            await asyncio.sleep(0.02)

    sending = asyncio.create_task(send())
    heard = [int.from_bytes((await socket.receive_bytes())[:2], "big") for _ in range(FRAMES)]
    await sending
    return heard


async def test_frames_survive_a_killed_handler(ports: tuple[int, int]) -> None:
    port, handler_port = ports
    handler = start_handler(handler_port)
    service = WebPubSubServiceClient.from_connection_string(connection_string(port), "clients")
    try:
        async with aiohttp.ClientSession() as http, service, asyncio.timeout(DEADLINE_S):
            url = (await service.get_client_access_token())["url"]
            sockets = [await http.ws_connect(url) for _ in range(CALLS)]
            talks = [asyncio.create_task(talk(socket)) for socket in sockets]
            await asyncio.sleep(0.8)
            handler.kill()
            handler.wait()
            await asyncio.sleep(1.5)
            handler = start_handler(handler_port)
            assert await asyncio.gather(*talks) == [list(range(FRAMES))] * CALLS
    finally:
        handler.kill()
        handler.wait()
