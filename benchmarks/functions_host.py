"""Measures the local Functions host: durable hops and bare HTTP. Its figures are never Azure's.

`python -m benchmarks.functions_host` prints a table and writes benchmarks/results/functions_host.json.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

_RESULTS = Path(__file__).parent / "results" / "functions_host.json"
_START_DEADLINE_S = 20.0
_HUB = "HostBenchmark"

_APP = """
import asyncio, time
import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
reached = {}


@app.activity_trigger(input_name="given")
async def nothing(given: object) -> None:
    return None


@app.activity_trigger(input_name="key")
async def arrive(key: str) -> None:
    reached[key].set_result(time.perf_counter())


@app.orchestration_trigger(context_name="context")
def three_activities(context):
    for _ in range(3):
        yield context.call_activity("nothing", None)


@app.orchestration_trigger(context_name="context")
def event_to_activity(context):
    yield context.wait_for_external_event("go")
    yield context.call_activity("arrive", context.instance_id)


@app.route(route="noop", methods=["POST"])
async def noop(req: func.HttpRequest) -> func.HttpResponse:
    req.get_body()
    return func.HttpResponse(status_code=204)


@app.route(route="raise/{instance}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def raise_event(req: func.HttpRequest, client) -> func.HttpResponse:
    instance = req.route_params["instance"]
    reached[instance] = asyncio.get_running_loop().create_future()
    started = time.perf_counter()
    await client.raise_event(instance, "go")
    elapsed = await reached.pop(instance) - started
    return func.HttpResponse(str(elapsed))
"""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of repeated runs."""

    runs: int
    p50_ms: float
    p95_ms: float
    max_ms: float


def summarize(seconds: list[float]) -> Latency:
    """Percentiles of `seconds`."""
    cuts = statistics.quantiles(seconds, n=100)
    return Latency(
        runs=len(seconds),
        p50_ms=round(statistics.median(seconds) * 1000, 2),
        p95_ms=round(cuts[94] * 1000, 2),
        max_ms=round(max(seconds) * 1000, 2),
    )


@contextlib.contextmanager
def running_host(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A host of its own on `port`, with the benchmark's app and fresh state."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "function_app.py").write_text(_APP, "utf-8")
        extensions = {"http": {"routePrefix": ""}, "durableTask": {"hubName": _HUB}}
        levels = {"logLevel": {"default": "Warning"}}
        document = {"version": "2.0", "extensions": extensions, "logging": levels}
        (root / "host.json").write_text(json.dumps(document), "utf-8")
        command = [sys.executable, "-m", "local_stack.functions_host", "--port", str(port)]
        command += ["--app-root", folder, "--state-dir", str(root / "state")]
        host = subprocess.Popen(command)
        try:
            yield host
        finally:
            host.send_signal(signal.SIGTERM)
            host.wait(10)


async def wait_until_ready(session: aiohttp.ClientSession, base_url: str) -> None:
    """Raises: TimeoutError if the host does not come up."""
    async with asyncio.timeout(_START_DEADLINE_S):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{base_url}/admin/host/status") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


async def measure_chain(session: aiohttp.ClientSession, base_url: str, runs: int) -> Latency:
    """Start, three activities that do nothing, end; as one HTTP call that waits for the end."""
    url = f"{base_url}/runtime/webhooks/durabletask/orchestrators/three_activities?timeout=10"
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        async with session.post(url) as response:
            assert response.status == 200, response.status
            await response.read()
        seconds.append(time.perf_counter() - started)
    return summarize(seconds)


async def measure_event(session: aiohttp.ClientSession, base_url: str, runs: int) -> Latency:
    """From the SDK's raise_event inside of a function to the first line of the activity behind it."""
    start = f"{base_url}/runtime/webhooks/durabletask/orchestrators/event_to_activity"
    seconds = []
    for _ in range(runs):
        async with session.post(start) as response:
            instance = (await response.json())["id"]
        await asyncio.sleep(0.005)
        async with session.post(f"{base_url}/raise/{instance}") as response:
            seconds.append(float(await response.text()))
    return summarize(seconds)


class _Client(asyncio.Protocol):
    """One connection that posts the same frame again as soon as it is answered."""

    def __init__(self, request: bytes, deadline: float) -> None:
        self._request = request
        self._deadline = deadline
        self._sent_at = 0.0
        self.seconds: list[float] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 204"), data[:80]
        now = time.perf_counter()
        self.seconds.append(now - self._sent_at)
        if now < self._deadline:
            self._send()
        else:
            self._transport.close()
            self.ended.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


async def measure_http(port: int, pid: int, connections: int, duration_s: float) -> dict[str, object]:
    """Requests per second of a function that does nothing, with bodies of one 20 ms audio frame."""
    body = os.urandom(640)
    head = "POST /noop HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    loop = asyncio.get_running_loop()
    deadline = time.perf_counter() + duration_s
    cpu_before, started = _cpu_s(pid), time.perf_counter()
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: _Client(request, deadline), "127.0.0.1", port)
        clients.append(client)
    await asyncio.gather(*(client.ended for client in clients))
    elapsed = time.perf_counter() - started
    seconds = [second for client in clients for second in client.seconds]
    return {
        "connections": connections,
        "requests_per_second": round(len(seconds) / elapsed),
        "host_cpu_us_per_request": round((_cpu_s(pid) - cpu_before) / len(seconds) * 1e6),
        **asdict(summarize(seconds)),
    }


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(port: int, pid: int, runs: int, duration_s: float) -> dict[str, object]:
    """All figures of one host."""
    base_url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        await wait_until_ready(session, base_url)
        await measure_chain(session, base_url, 20)
        return {
            "start_to_three_activities_done": asdict(await measure_chain(session, base_url, runs)),
            "raise_event_to_activity": asdict(await measure_event(session, base_url, runs)),
            "http_one_connection": await measure_http(port, pid, 1, duration_s),
            "http_many_connections": await measure_http(port, pid, 32, duration_s),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=17190)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each HTTP run")
    arguments = parser.parse_args()
    with running_host(arguments.port) as host:
        figures = asyncio.run(measure(arguments.port, host.pid, arguments.runs, arguments.seconds))
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps({"machine": machine, **figures}, indent=2) + "\n", "utf-8")
    for name, values in figures.items():
        assert isinstance(values, dict)
        print(f"{name:32}" + "  ".join(f"{key} {value}" for key, value in values.items()))


if __name__ == "__main__":
    main()
