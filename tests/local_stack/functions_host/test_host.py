"""The host inside of the test's process: what cannot be provoked from outside."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import types
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest

from local_stack.functions_host.durable.store import DurableStore
from local_stack.functions_host.function_index import index_functions
from local_stack.functions_host.host import FunctionsHost, HostSetup, bind
from local_stack.functions_host.host_json import HostOptions
from local_stack.functions_host.keys import KeyRing


class App:
    """A small app whose activities the tests can look into."""

    def __init__(self) -> None:
        self.running = 0
        self.most_running = 0
        self.ticks: list[func.TimerRequest] = []
        self.app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
        self._define()

    def _define(self) -> None:
        app = self.app

        @app.activity_trigger(input_name="number")
        async def busy(number: int) -> int:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            await asyncio.sleep(0.02)
            self.running -= 1
            return number

        @app.orchestration_trigger(context_name="context")
        def many(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]
            return (yield context.task_all([context.call_activity("busy", n) for n in range(9)]))

        @app.orchestration_trigger(context_name="context")
        def deadline_with_retry(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]
            timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
            work = context.call_activity_with_retry("fails_once", df.RetryOptions(1, 3), None)
            yield context.task_any([work, timer])
            timer.cancel()
            yield context.call_activity("busy", 1)

        self._define_others()

    def _define_others(self) -> None:
        app = self.app
        failed: list[None] = []

        @app.activity_trigger(input_name="nothing")
        async def fails_once(nothing: object) -> None:
            if not failed:
                failed.append(None)
                raise ValueError("once")

        @app.timer_trigger(arg_name="tick", schedule="0 0 0 1 1 *")
        async def yearly(tick: func.TimerRequest) -> None:
            self.ticks.append(tick)

        @app.route(route="written", methods=["GET"])
        async def written(req: func.HttpRequest, answer: func.Out[func.HttpResponse]) -> None:
            answer.set(func.HttpResponse("by an output", status_code=203))

        written_builder = app._function_builders[-1]._function
        for binding in written_builder.get_bindings():
            if binding.name == "$return":
                binding.name = "answer"


@pytest.fixture
def app() -> App:
    return App()


def make_host(app: App, folder: Path, **options: Any) -> FunctionsHost:
    module = types.ModuleType("function_app")
    module.__file__ = str(folder / "function_app.py")
    module.app = app.app  # type: ignore[attr-defined]
    setup = HostSetup(
        index=index_functions(module),
        options=HostOptions(hub_name="Inside", **options),
        settings={},
        keys=KeyRing(folder / "keys.json", enforced=False),
        state_dir=folder,
        listener=bind("127.0.0.1", 0),
    )
    return FunctionsHost(setup)


@pytest.fixture
async def host(app: App, tmp_path: Path) -> AsyncIterator[FunctionsHost]:
    host = make_host(app, tmp_path, max_concurrent_activities=3)
    await host.start()
    yield host
    await host.stop()


async def run(host: FunctionsHost, client: httpx.AsyncClient, name: str) -> Any:
    url = f"http://127.0.0.1:{host.port}/runtime/webhooks/durabletask/orchestrators/{name}?timeout=8"
    return (await client.post(url)).json()


async def test_no_more_activities_at_once_than_allowed(
    app: App, host: FunctionsHost, client: httpx.AsyncClient
) -> None:
    assert await run(host, client, "many") == list(range(9))
    assert app.most_running == 3


async def test_a_retry_raced_against_a_canceled_timer_fails_as_on_azure(
    host: FunctionsHost, client: httpx.AsyncClient
) -> None:
    status = await run(host, client, "deadline_with_retry")
    assert status["runtimeStatus"] == "Failed"
    assert "Non-Deterministic workflow detected" in status["output"]


async def test_an_http_output_binding(host: FunctionsHost, client: httpx.AsyncClient) -> None:
    response = await client.get(f"http://127.0.0.1:{host.port}/api/written")
    assert (response.status_code, response.text) == (203, "by an output")


async def test_an_episode_that_cannot_be_written_is_tried_again(
    host: FunctionsHost, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 2
    append = DurableStore.append_history

    def append_history(self: DurableStore, *values: Any) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise sqlite3.OperationalError("disk full")
        append(self, *values)

    monkeypatch.setattr(DurableStore, "append_history", append_history)
    assert await run(host, client, "many") == list(range(9))
    assert failures == 0


async def test_a_broken_webhook_is_500_and_the_connection_goes_on(
    host: FunctionsHost, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: DurableStore, *values: Any) -> None:
        raise sqlite3.OperationalError("locked")

    url = f"http://127.0.0.1:{host.port}/runtime/webhooks/durabletask/instances"
    monkeypatch.setattr(DurableStore, "rows", fail)
    assert (await client.get(url)).status_code == 500
    monkeypatch.undo()
    assert (await client.get(url)).json() == []


async def test_a_timer_that_was_missed_runs_past_due(app: App, tmp_path: Path) -> None:
    store = DurableStore(tmp_path / "Inside.db")
    missed = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    store.run("INSERT INTO schedules VALUES ('yearly', NULL, ?)", missed)
    store.close()
    host = make_host(app, tmp_path)
    await host.start()
    async with asyncio.timeout(5):
        while not app.ticks:
            await asyncio.sleep(0.01)
    await host.stop()
    assert app.ticks[0].past_due
    second = App()
    again = make_host(second, tmp_path)
    await again.start()
    await asyncio.sleep(0.05)
    await again.stop()
    assert second.ticks == []


async def test_what_has_a_schedule_runs_by_hand_too(app: App, host: FunctionsHost, client: httpx.AsyncClient) -> None:
    functions = f"http://127.0.0.1:{host.port}/admin/functions"
    assert (await client.post(f"{functions}/yearly", json={"input": ""})).status_code == 202
    async with asyncio.timeout(5):
        while not app.ticks:
            await asyncio.sleep(0.01)
    assert not app.ticks[0].past_due
    assert (await client.post(f"{functions}/many", json={})).status_code == 404
    assert (await client.post(f"{functions}/unknown", json={})).status_code == 404


async def test_keys_are_made_once(tmp_path: Path) -> None:
    first = KeyRing(tmp_path / "keys.json", enforced=True)
    assert KeyRing(tmp_path / "keys.json", enforced=True).master == first.master
    assert len({first.master, first.host_key, first.durable_key}) == 3
    assert json.loads((tmp_path / "keys.json").read_text("utf-8"))["functions"] == {}
