"""The command: exit codes, one clear line for what is wrong, drain, keys, locks."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local_stack.functions_host.errors import StateDirectoryInUseError
from local_stack.functions_host.state_directory import StateDirectoryLock
from tests.local_stack.functions_host.host_process import SAMPLE_APP, HostProcess

_HEAD = "import azure.functions as func\nimport azure.durable_functions as df\napp = df.DFApp()\n"


@pytest.fixture
def hosts() -> Iterator[list[HostProcess]]:
    started: list[HostProcess] = []
    yield started
    for host in started:
        host.end()


def host_of(folder: Path, code: str, *options: str, host_json: object = None) -> HostProcess:
    app = folder / "app"
    app.mkdir()
    (app / "function_app.py").write_text(code, "utf-8")
    if host_json is not None:
        (app / "host.json").write_text(json.dumps(host_json), "utf-8")
    return HostProcess(folder / "state", app, *options)


def refusal(host: HostProcess, port: int = 0) -> tuple[int, str]:
    """Exit code and output of a host that does not start."""
    host.launch(port)
    try:
        return host.wait_for_exit(), host.log_text.strip()
    finally:
        host.end()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import missing_module_of_the_app\n", "ModuleNotFoundError: No module named 'missing_module_of_the_app'"),
        ("x = 1\n", "must define one FunctionApp, found 0"),
        (
            _HEAD + "@app.queue_trigger(arg_name='m', queue_name='q', connection='C')\ndef take(m): ...\n",
            "function 'take': this host has no binding of type 'queueTrigger'",
        ),
        (
            _HEAD + "@app.timer_trigger(arg_name='t', schedule='every day')\ndef tick(t): ...\n",
            "function 'tick': schedule 'every day' must have six fields",
        ),
        (
            _HEAD + "@app.timer_trigger(arg_name='t', schedule='%NOWHERE%')\ndef tick(t): ...\n",
            "function 'tick': no app setting 'NOWHERE'",
        ),
        (
            _HEAD + "@app.route(route='{x:nonsense}')\ndef f(req): ...\n",
            "route 'api/{x:nonsense}': unknown constraint 'nonsense'",
        ),
        (_HEAD + "@app.route(route='x')\ndef f(req, other): ...\n", "function 'f': parameter 'other' has no binding"),
        (
            _HEAD + "@app.orchestration_trigger(context_name='ctx')\ndef o(ctx): ...\n",
            "function 'o': context_name must be 'context'",
        ),
        (
            _HEAD + "@app.route(route='a')\ndef f(req): ...\n@app.route(route='b')\ndef f(req): ...\n",
            "does not have a unique function name",
        ),
    ],
)
def test_an_app_that_cannot_run_is_one_line_and_exit_1(tmp_path: Path, code: str, words: str) -> None:
    status, output = refusal(host_of(tmp_path, code))
    assert status == 1
    # The SDK warns by itself of apps without HTTP functions.
    lines = [line for line in output.splitlines() if "Auth level is not applied" not in line]
    assert len(lines) == 1
    assert words in lines[0]


def test_verbose_shows_the_traceback_of_the_import(tmp_path: Path) -> None:
    _, output = refusal(host_of(tmp_path, "raise RuntimeError('at import')\n", "--verbose"))
    assert "Traceback" in output
    assert output.splitlines()[-1] == "functions host: function_app.py: RuntimeError: at import"


def test_no_app_at_all(tmp_path: Path) -> None:
    status, output = refusal(HostProcess(tmp_path / "state", tmp_path))
    assert (status, "no function_app.py" in output) == (1, True)


def test_a_malformed_host_json(tmp_path: Path) -> None:
    status, output = refusal(host_of(tmp_path, _HEAD, host_json={"functionTimeout": "soon"}))
    assert (status, "functionTimeout" in output) == (1, True)


def test_a_taken_port_is_one_line_and_exit_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # The app would take long to import; the port is looked at before.
        status, output = refusal(host_of(tmp_path, "import time\ntime.sleep(60)\n"), port)
    assert status == 2
    assert output == f"functions host: cannot listen on 127.0.0.1:{port}: Address already in use"


@pytest.mark.slow
def test_a_second_host_on_the_same_state_is_refused(tmp_path: Path, hosts: list[HostProcess]) -> None:
    first = host_of(tmp_path, _HEAD)
    hosts.append(first)
    first.start()
    second = HostProcess(first.state_dir, tmp_path / "app")
    second._log = tmp_path / "second.log"
    status, output = refusal(second)
    assert status == 2
    assert f"in use by the host with pid {first.process.pid}" in output
    first.kill()
    first.start()
    assert first.stop() == 0


def test_the_lock_of_the_dead_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "host.lock").write_text("999999\n", "ascii")
    with StateDirectoryLock(tmp_path):
        assert (tmp_path / "host.lock").read_text("ascii") == f"{os.getpid()}\n"
        with pytest.raises(StateDirectoryInUseError, match=str(os.getpid())), StateDirectoryLock(tmp_path):
            pass
    with StateDirectoryLock(tmp_path):
        pass


def test_start_is_fast_and_interrupt_is_a_clean_end(tmp_path: Path, hosts: list[HostProcess]) -> None:
    host = host_of(tmp_path, _HEAD + "import time\nREADY = time.time()\n")
    hosts.append(host)
    host.start()
    host.process.send_signal(signal.SIGINT)
    assert host.wait_for_exit() == 0


@pytest.mark.slow
def test_a_drain_lets_short_functions_end_and_cancels_long_ones(tmp_path: Path, hosts: list[HostProcess]) -> None:
    code = _HEAD + (
        "import asyncio\n"
        "@app.route(route='sleep/{s}', auth_level='anonymous')\n"
        "async def sleep(req: func.HttpRequest):\n"
        "    await asyncio.sleep(float(req.route_params['s']))\n"
        "    return 'slept'\n"
    )
    host = host_of(tmp_path, code)
    hosts.append(host)
    host.start()
    sockets = []
    for seconds in (1, 60):
        connection = socket.create_connection(("127.0.0.1", host.port), timeout=10)
        connection.sendall(f"GET /api/sleep/{seconds} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        sockets.append(connection)
    time.sleep(0.3)
    started = time.monotonic()
    host.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", host.port), timeout=1)
    short, long = (connection.recv(1000) for connection in sockets)
    assert short.endswith(b"slept")
    assert long.startswith(b"HTTP/1.1 503")
    assert host.wait_for_exit() == 0
    assert 2.5 < time.monotonic() - started < 5
    assert "Traceback" not in host.log_text


@pytest.mark.parametrize("by_environment", [False, True])
async def test_keys(
    tmp_path: Path, hosts: list[HostProcess], client: httpx.AsyncClient, *, by_environment: bool
) -> None:
    options = [] if by_environment else ["--keys"]
    env = {"LOCAL_FUNCTIONS_KEYS": "1"} if by_environment else None
    host = HostProcess(tmp_path / "state", SAMPLE_APP, *options, env=env)
    hosts.append(host)
    host.start()
    keys = json.loads((host.state_dir / "keys.json").read_text("utf-8"))
    master, function, system = keys["master"], keys["host"]["default"], keys["system"]["durabletask_extension"]

    async def status(path: str, key: str | None = None, *, in_query: bool = False) -> int:
        params = {"code": key} if key and in_query else None
        headers = {"x-functions-key": key} if key and not in_query else None
        return (await client.get(host.url + path, params=params, headers=headers)).status_code

    assert await status("/noop") == 204
    assert [await status("/secret", key) for key in (None, "wrong", system, function, master)] == [
        401,
        401,
        401,
        200,
        200,
    ]
    assert await status("/secret", function, in_query=True) == 200
    assert [await status("/master", key) for key in (None, function, master)] == [401, 401, 200]
    assert [await status("/admin/functions", key) for key in (None, function, master)] == [401, 401, 200]
    instances = "/runtime/webhooks/durabletask/instances"
    assert [await status(instances, key) for key in (None, function, system, master)] == [401, 401, 200, 200]
    started = await client.post(f"{host.url}/start/chain", json={"steps": 1})
    assert f"code={system}" in started.json()["statusQueryGetUri"]
    assert (await client.get(started.json()["statusQueryGetUri"])).status_code in (200, 202)
    assert (await client.get(f"{host.url}/admin/host/status")).status_code == 401
    assert (host.state_dir / "keys.json").stat().st_mode & 0o077 == 0
