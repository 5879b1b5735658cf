"""The durable engine as a port: starting twice is once, and its troubles are told in our words."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from functions import durable_calls
from functions.durable_calls import DurableCalls
from shared.domain.errors import StoreError
from shared.domain.steps import CallRequest, FetchRequest, fetch_instance

REQUEST = CallRequest("tenant", "call-1")


class FakeClient:
    def __init__(self, status: Status | None = None, failures: int = 0) -> None:
        self.status = status
        self.failures = failures
        self.started: list[tuple[str, str, Any]] = []
        self.raised: list[tuple[str, str, Any]] = []

    async def get_status(self, instance_id: str) -> Any:
        self._fail()
        return SimpleNamespace(runtime_status=self.status)

    async def start_new(self, name: str, instance_id: str, document: Any) -> str:
        self._fail()
        self.started.append((name, instance_id, document))
        return instance_id

    async def raise_event(self, instance_id: str, name: str, data: Any) -> None:
        self._fail()
        self.raised.append((instance_id, name, data))

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise Exception("Function host is shutting down")  # what the SDK raises


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_calls, "_PAUSE_S", 0.0)


@pytest.mark.parametrize("status", [None, Status.Completed, Status.Failed, Status.Terminated])
async def test_a_call_is_started(status: Status | None) -> None:
    client = FakeClient(status)
    await DurableCalls(client).start_call(REQUEST)
    assert client.started == [("call", "call-1", REQUEST.to_json())]


@pytest.mark.parametrize("status", [Status.Pending, Status.Running])
async def test_a_call_that_runs_is_not_started_again(status: Status) -> None:
    client = FakeClient(status)
    await DurableCalls(client).start_call(REQUEST)
    assert client.started == []


@pytest.mark.parametrize("failures", [1, 2])
async def test_an_engine_that_is_away_is_told_in_our_words(failures: int) -> None:
    with pytest.raises(StoreError) as error:
        await DurableCalls(FakeClient(failures=failures)).start_call(REQUEST)
    assert (error.value.code, error.value.retryable) == ("engine_refused", True)


@pytest.mark.parametrize("failures", [0, 1, 2])
async def test_speech_is_announced_through_a_hiccup(failures: int) -> None:
    client = FakeClient(failures=failures)
    await DurableCalls(client).speech_began("call-1", 3)
    assert client.raised == [("call-1", "heard_3", 3)]


async def test_an_outbound_call_is_dialled_by_an_orchestration_of_its_own() -> None:
    client = FakeClient()
    await DurableCalls(client).start_dial(REQUEST)
    assert client.started == [("dial", "call-1:dial", REQUEST.to_json())]
    running = FakeClient(Status.Running)
    await DurableCalls(running).start_dial(REQUEST)
    assert running.started == []
    with pytest.raises(StoreError, match="engine_refused"):
        await DurableCalls(FakeClient(failures=1)).start_dial(REQUEST)


async def test_a_recording_is_fetched_by_an_orchestration_of_its_own() -> None:
    client, request = FakeClient(), FetchRequest("tenant", "call-1", "recording:RE1")
    await DurableCalls(client).start_fetching(request)
    assert client.started == [("fetch_recording", fetch_instance("call-1", "recording:RE1"), request.to_json())]
    assert fetch_instance("call-1", "recording:RE2") != fetch_instance("call-1", "recording:RE1")
    with pytest.raises(StoreError, match="engine_refused"):
        await DurableCalls(FakeClient(failures=1)).start_fetching(request)


async def test_who_comes_second_at_the_same_moment_has_started_it_too() -> None:
    class Quicker(FakeClient):
        async def start_new(self, name: str, instance_id: str, document: Any) -> str:
            self.status = Status.Pending
            raise Exception(f"An instance with ID {instance_id} already exists")

    await DurableCalls(Quicker()).start_call(REQUEST)
    await DurableCalls(Quicker()).start_dial(REQUEST)


@pytest.mark.parametrize("status", [None, *Status])
async def test_whether_a_call_runs(status: Status | None) -> None:
    assert await DurableCalls(FakeClient(status)).is_running("call-1") == (status in (Status.Running, Status.Pending))
    with pytest.raises(StoreError, match="engine_refused"):
        await DurableCalls(FakeClient(status, failures=1)).is_running("call-1")


async def test_who_watches_a_turn_is_told() -> None:
    client = FakeClient()
    await DurableCalls(client).turn_over("call-1", 3, 8000)
    await DurableCalls(client).turn_answered("call-1", 3)
    watch = "call-1:turn:3:watch"
    assert client.raised == [(watch, "over", 8000), (watch, "answered", 3)]


async def test_who_has_stopped_watching_need_not_be_told(caplog: pytest.LogCaptureFixture) -> None:
    class Over(FakeClient):
        async def raise_event(self, instance_id: str, name: str, data: Any) -> None:
            raise Exception(f"Instance with ID {instance_id} is gone: either completed or failed")

    await DurableCalls(Over()).turn_answered("call-1", 3)
    assert not caplog.records


async def test_speech_that_cannot_be_announced_is_told() -> None:
    with pytest.raises(StoreError, match="engine_refused") as error:
        await DurableCalls(FakeClient(failures=3)).speech_began("call-1", 3)
    assert error.value.retryable


async def test_an_engine_that_is_silent_costs_the_deadlines_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(FakeClient):
        async def raise_event(self, instance_id: str, name: str, data: Any) -> None:
            await asyncio.sleep(240)

        async def get_status(self, instance_id: str) -> Any:
            await asyncio.sleep(240)

    monkeypatch.setattr(durable_calls, "_EVENT_DEADLINE_S", 0.01)
    monkeypatch.setattr(durable_calls, "_START_DEADLINE_S", 0.01)
    async with asyncio.timeout(5):
        for waiting in (DurableCalls(Silent()).speech_began("call-1", 3), DurableCalls(Silent()).start_call(REQUEST)):
            with pytest.raises(StoreError, match="engine_refused"):
                await waiting
