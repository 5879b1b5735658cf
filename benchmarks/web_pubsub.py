"""Measures the local Web PubSub endpoint: frames to the event handler and back, and REST sends to a client.

    python -m benchmarks.web_pubsub [--seconds 8] [--connections 1,10,50,100]

The other work of the machine shows in the times; CPU per frame is what a busy machine distorts least.
Endpoint, handler and clients share the machine's cores; the round trip is socket → HTTP POST → body echoed →
socket, with frames of 640 bytes (20 ms of PCM16 at 16 kHz) at 50 frames a second and connection.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import httptools  # type: ignore[import-untyped]
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

from local_stack.programs.event_loop import loop_factory
from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY, connection_string, default_config

FRAME_BYTES = 640
FRAME_INTERVAL_S = 0.02
WARM_UP_S = 1.0
LAST_FRAMES_S = 3.0
REST_FRAME_BYTES = 6400
RESULTS = Path(__file__).parent / "results" / "web_pubsub.json"


@dataclass(frozen=True)
class RoundTrips:
    """Result of one load: times in milliseconds, CPU in percent of one core."""

    connections: int
    frames_sent: int
    frames_unanswered: int
    out_of_order: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    endpoint_cpu_percent: float
    endpoint_cpu_us_per_frame: int


@dataclass(frozen=True)
class RestSends:
    """Result of sending to one connection by REST, each call after the one before."""

    sends: int
    per_second: float
    p50_ms: float
    p99_ms: float
    endpoint_cpu_ms_per_send: float


class EchoHandler(asyncio.Protocol):
    """The event handler: as little work as possible, so that the endpoint is what is measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._is_frame = False

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._is_frame = url.endswith(b"/message")
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body = self._body if self._is_frame else b""
        head = (
            b"HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\n"
            b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        self._transport.write(head + body)


async def serve_handler(port: int) -> None:
    """Run the event handler until the process is stopped."""
    server = await asyncio.get_running_loop().create_server(EchoHandler, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


@contextmanager
def running(port: int) -> Iterator[None]:
    """Endpoint on `port` and handler on `port + 1`, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "web_pubsub.json"
        document = default_config(port=port, app_base_url=f"http://127.0.0.1:{port + 1}")
        document["limits"]["keepAliveIntervalSeconds"] = 120
        config.write_text(json.dumps(document), encoding="utf-8")
        endpoint = [sys.executable, "-m", "local_stack.web_pubsub", "--port", str(port)]
        handler = [sys.executable, "-m", "benchmarks.web_pubsub", "--handler-port", str(port + 1)]
        processes = [
            subprocess.Popen([*endpoint, "--config", str(config), "--log-level", "warning"]),
            subprocess.Popen(handler),
        ]
        try:
            _wait_until_ready(port)
            yield
        finally:
            for process in processes:
                process.terminate()
                process.wait(timeout=10)


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 15
    for waited in (port, port + 1):
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{waited}/health", timeout=1):
                    break
            except urllib.error.URLError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


async def _cpu_s(http: aiohttp.ClientSession, port: int) -> float:
    headers = {"X-Access-Key": LOCAL_ACCESS_KEY}
    async with http.get(f"http://127.0.0.1:{port}/_local/usage", headers=headers) as response:
        return float((await response.json())["cpu_s"])


class Caller:
    """One client that sends frames at the pace of speech and notes when each comes back."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.sent = 0
        self.received = 0
        self.out_of_order = 0
        self._expected: int | None = None
        self.round_trips_ms: list[float] = []

    async def talk(self, start_at: float, measure_from: float, end_at: float) -> None:
        listening = asyncio.create_task(self._listen(measure_from))
        due = start_at
        padding = bytes(FRAME_BYTES - 16)
        while due < end_at:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await self._socket.send_bytes(struct.pack("<Qd", self.sent, time.perf_counter()) + padding)
            self.sent += 1
            due += FRAME_INTERVAL_S
        self._expected = self.sent
        await asyncio.wait([listening], timeout=0 if self.received == self.sent else LAST_FRAMES_S)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, measure_from: float) -> None:
        async for message in self._socket:
            number, sent_at = struct.unpack_from("<Qd", message.data)
            self.out_of_order += number != self.received
            self.received += 1
            if sent_at >= measure_from:
                self.round_trips_ms.append((time.perf_counter() - sent_at) * 1000)
            if self.received == self._expected:
                return


async def measure_round_trips(port: int, connections: int, seconds: float) -> RoundTrips:
    """Frames at 50 a second on so many connections, for so long after a warm-up."""
    unlimited = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=unlimited) as http, _service(port) as service:
        url = (await service.get_client_access_token())["url"]
        callers = [Caller(await http.ws_connect(url)) for _ in range(connections)]
        start = time.perf_counter() + 0.2
        measure_from, end = start + WARM_UP_S, start + WARM_UP_S + seconds
        talks = [
            asyncio.create_task(caller.talk(start + FRAME_INTERVAL_S * n / connections, measure_from, end))
            for n, caller in enumerate(callers)
        ]
        await asyncio.sleep(measure_from - time.perf_counter())
        cpu_before, time_before = await _cpu_s(http, port), time.perf_counter()
        answered_before = sum(caller.received for caller in callers)
        await asyncio.sleep(end - time.perf_counter())
        cpu_s = await _cpu_s(http, port) - cpu_before
        elapsed_s = time.perf_counter() - time_before
        answered = sum(caller.received for caller in callers) - answered_before
        await asyncio.gather(*talks)
    times = sorted(each for caller in callers for each in caller.round_trips_ms)
    return RoundTrips(
        connections=connections,
        frames_sent=sum(caller.sent for caller in callers),
        frames_unanswered=sum(caller.sent - caller.received for caller in callers),
        out_of_order=sum(caller.out_of_order for caller in callers),
        p50_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
        p99_ms=percentile(times, 99),
        max_ms=round(times[-1], 2),
        endpoint_cpu_percent=round(100 * cpu_s / elapsed_s, 1),
        endpoint_cpu_us_per_frame=round(1e6 * cpu_s / max(1, answered)),
    )


async def measure_rest_sends(port: int, sends: int) -> RestSends:
    """Pieces of 200 ms of audio to one connection with the official SDK, one call after the other."""
    async with aiohttp.ClientSession() as http, _service(port) as service:
        socket = await http.ws_connect((await service.get_client_access_token(user_id="listener"))["url"])
        # The SDK's annotations know only text and streams; its aiohttp transport takes a memoryview.
        audio: Any = memoryview(bytes(REST_FRAME_BYTES))
        times_ms = []
        cpu_before, started = await _cpu_s(http, port), time.perf_counter()
        for _ in range(sends):
            before = time.perf_counter()
            await service.send_to_user("listener", audio, content_type="application/octet-stream")
            times_ms.append((time.perf_counter() - before) * 1000)
            await socket.receive_bytes()
        elapsed_s = time.perf_counter() - started
        cpu_s = await _cpu_s(http, port) - cpu_before
    times_ms.sort()
    return RestSends(
        sends=sends,
        per_second=round(sends / elapsed_s, 1),
        p50_ms=percentile(times_ms, 50),
        p99_ms=percentile(times_ms, 99),
        endpoint_cpu_ms_per_send=round(1000 * cpu_s / sends, 3),
    )


def _service(port: int) -> WebPubSubServiceClient:
    return WebPubSubServiceClient.from_connection_string(connection_string(port), "clients")


def percentile(ordered: list[float], percent: float) -> float:
    """The nearest-rank percentile of sorted values."""
    return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 2)


async def run(port: int, connections: list[int], seconds: float) -> None:
    """Run all loads, print the table, write the JSON file."""
    with running(port):
        print(
            "| connections x 50 frames/s | p50 ms | p95 ms | p99 ms | max ms "
            "| endpoint CPU | CPU per frame | unanswered | out of order |\n" + "|---" * 9 + "|"
        )
        trips = []
        for count in connections:
            result = await measure_round_trips(port, count, seconds)
            trips.append(result)
            print(
                f"| {count} | {result.p50_ms} | {result.p95_ms} | {result.p99_ms} | {result.max_ms} "
                f"| {result.endpoint_cpu_percent} % | {result.endpoint_cpu_us_per_frame} us "
                f"| {result.frames_unanswered} | {result.out_of_order} |",
                flush=True,
            )
        sends = await measure_rest_sends(port, 500)
    print(
        f"\nREST send of {REST_FRAME_BYTES} bytes with the official SDK: p50 {sends.p50_ms} ms, "
        f"p99 {sends.p99_ms} ms, {sends.per_second}/s one after the other, "
        f"{sends.endpoint_cpu_ms_per_send} ms of endpoint CPU each"
    )
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()},
        "frame_bytes": FRAME_BYTES,
        "seconds": seconds,
        "round_trips": [asdict(each) for each in trips],
        "rest_sends": asdict(sends),
    }
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description="Benchmark of the local Web PubSub endpoint")
    parser.add_argument("--port", type=int, default=17290, help="first of two free ports (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each load (default: %(default)s)")
    parser.add_argument("--connections", default="1,10,50,100", help="loads (default: %(default)s)")
    parser.add_argument("--handler-port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.handler_port:
        work = serve_handler(arguments.handler_port)
    else:
        loads = [int(each) for each in arguments.connections.split(",")]
        work = run(arguments.port, loads, arguments.seconds)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(work)


if __name__ == "__main__":
    main()
