"""HTTP and timer functions of the sample app, asked from outside."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.local_stack.functions_host.host_process import HostProcess


async def test_the_root_is_served_by_an_optional_parameter_of_no_length(
    client: httpx.AsyncClient, sample_host: HostProcess
) -> None:
    response = await client.get(sample_host.url + "/")
    assert response.text == "<h1>home</h1>"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert (await client.get(sample_host.url + "/unknown")).status_code == 404


async def test_a_function_sees_the_whole_request(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    body = bytes(range(256))
    response = await client.post(
        sample_host.url + "/echo/a%20b?x=1&x=2&empty=&u=%C3%BC",
        content=body,
        headers=[("X-Twice", "one"), ("X-Twice", "two"), ("Content-Type", "application/octet-stream")],
    )
    seen = response.json()
    assert seen["method"] == "POST"
    assert seen["url"] == f"{sample_host.url}/echo/a%20b?x=1&x=2&empty=&u=%C3%BC"
    assert seen["params"] == {"x": "1,2", "empty": "", "u": "ü"}
    assert seen["route"] == {"name": "a b"}
    assert seen["headers"]["x-twice"] == "one,two"
    assert bytes.fromhex(seen["body"]) == body
    assert seen["function"] == "echo"
    assert len(seen["invocation"]) == 36


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/echo/fixed", "literal wins"),
        ("/items/42", "item 42"),
        ("/files/a/b/c.txt", "a/b/c.txt"),
        ("/optional", "none"),
        ("/optional/me", "me"),
        ("/setting/FROM_FILE", "file"),
        ("/setting/FUNCTIONS_WORKER_RUNTIME", "python"),
    ],
)
async def test_routes(client: httpx.AsyncClient, sample_host: HostProcess, path: str, text: str) -> None:
    response = await client.get(sample_host.url + path)
    assert (response.status_code, response.text) == (200, text)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/items/none"), ("DELETE", "/echo/x"), ("POST", "/files/x"), ("GET", "/admin/x")]
)
async def test_what_fits_no_route_is_not_found(
    client: httpx.AsyncClient, sample_host: HostProcess, method: str, path: str
) -> None:
    assert (await client.request(method, sample_host.url + path)).status_code == 404


async def test_status_headers_cookies_and_charset_of_a_response(
    client: httpx.AsyncClient, sample_host: HostProcess
) -> None:
    response = await client.get(sample_host.url + "/reply")
    assert response.status_code == 418
    assert response.content == "grüße".encode("latin-1")
    assert response.headers["content-type"] == "text/plain; charset=latin-1"
    assert response.headers["x-one"] == "1"
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; HttpOnly"]


async def test_nothing_returned_is_no_content(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    response = await client.get(sample_host.url + "/nothing")
    assert (response.status_code, response.content) == (204, b"")
    assert "content-length" not in response.headers


async def test_forms_and_json(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    response = await client.post(
        sample_host.url + "/form", data={"a": "1"}, files={"upload": ("name.txt", b"content")}
    )
    assert response.json() == {"form": {"a": "1"}, "files": {"upload": "content"}}
    assert (await client.post(sample_host.url + "/json", json={"a": [1, None]})).json() == {"a": [1, None]}
    assert (await client.post(sample_host.url + "/json", content=b"{")).status_code == 400


@pytest.mark.parametrize(("path", "words"), [("/fail", "RuntimeError: on purpose"), ("/wrong", "not dict")])
async def test_a_failing_function_is_500_and_one_line(
    client: httpx.AsyncClient, sample_host: HostProcess, path: str, words: str
) -> None:
    response = await client.get(sample_host.url + path)
    assert (response.status_code, response.content) == (500, b"")
    lines = [line for line in sample_host.log_text.splitlines() if words in line]
    assert lines
    assert f"function {path[1:]} failed" in lines[0]


async def test_blocking_functions_do_not_hold_up_async_ones(
    client: httpx.AsyncClient, sample_host: HostProcess
) -> None:
    blocked = [asyncio.create_task(client.get(sample_host.url + "/block/0.5")) for _ in range(4)]
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    assert (await client.get(sample_host.url + "/noop")).status_code == 204
    assert time.perf_counter() - started < 0.4
    assert [(await task).text for task in blocked] == ["blocked"] * 4


@pytest.mark.slow
async def test_a_function_over_its_time_fails(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    response = await client.get(sample_host.url + "/sleep/9")
    assert response.status_code == 500
    assert "Timeout value of 5 s was exceeded by function: sleep" in sample_host.log_text


async def test_keys_are_not_checked_by_default(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    assert (await client.get(sample_host.url + "/secret")).status_code == 200
    assert (await client.get(sample_host.url + "/master")).status_code == 200


async def test_the_admin_api(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    status = (await client.get(sample_host.url + "/admin/host/status")).json()
    assert (status["state"], status["id"]) == ("Running", "SampleHub")
    assert status["version"]
    functions = {f["name"]: f for f in (await client.get(sample_host.url + "/admin/functions")).json()}
    assert functions["item"]["invoke_url_template"].endswith("/items/{number:int}")
    assert {"chain", "double", "counter_entity", "every_second"} <= set(functions)
    one = await client.get(sample_host.url + "/admin/functions/chain")
    assert one.json()["config"]["bindings"][0]["type"] == "orchestrationTrigger"


@pytest.mark.slow
async def test_timers_run_at_start_and_on_schedule(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    async with asyncio.timeout(10):
        while True:
            runs = (await client.get(sample_host.url + "/timer-runs")).json()
            if len([run for run in runs if not run["startup"]]) >= 2:
                break
            await asyncio.sleep(0.1)
    assert len([run for run in runs if run["startup"]]) == 1
    ticks = [run for run in runs if not run["startup"]]
    assert not any(run["past_due"] for run in ticks)
    assert ticks[1]["status"]["Next"] > ticks[0]["status"]["Next"]
