"""Activities: what may be mended is tried again, what may not ends the call."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from functions.activities import records, steps
from shared.domain.call import EndReason
from shared.domain.errors import InvalidRequest, NotFound, StoreError, TelephonyError, VoiceAgentError
from shared.domain.steps import CallRequest, TurnRequest, WrapUpRequest
from tests.functions.conftest import Installer, user_function

TURN = TurnRequest("tenant", "call-1", 2)


class FakeDurableClient:
    """`raised` lists the events: instance, name, content."""

    def __init__(self) -> None:
        self.raised: list[tuple[str, str, Any]] = []

    async def raise_event(self, instance_id: str, name: str, content: Any) -> None:
        self.raised.append((instance_id, name, content))


class FakeStep:
    def __init__(self, answer: str | Exception | None) -> None:
        self.answer = answer
        self.given: list[Any] = []
        self.options: dict[str, Any] = {}
        self.client = FakeDurableClient()

    async def __call__(self, *arguments: Any, **options: Any) -> str | None:
        self.given.append(arguments)
        self.options = options
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Slept:
    """Makes sleeps take no time, and counts how long they were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.total_s = 0.0
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.total_s += seconds


class FakeEnding:
    def __init__(self) -> None:
        self.noted: list[tuple[str, EndReason]] = []
        self.hung_up: list[str] = []
        self.error: VoiceAgentError | None = None

    async def note(self, call_id: str, reason: EndReason) -> None:
        self.noted.append((call_id, reason))

    async def hang_up(self, call_id: str) -> None:
        if self.error:
            raise self.error
        self.hung_up.append(call_id)


async def run(name: str, install: Installer, answer: Any, ending: FakeEnding) -> tuple[str, FakeStep]:
    use_case = {"listen": "hear"}.get(name, name)
    step = FakeStep(answer)
    install(steps, end_call=ending, **{use_case: step})
    function = user_function(getattr(steps, name))
    client = FakeDurableClient()
    step.client = client
    arguments = (TURN.to_json(),) if name == "think" else (TURN.to_json(), client)
    return await function(*arguments), step


@pytest.mark.parametrize("name", ["listen", "think", "speak"])
@pytest.mark.parametrize("answer", ["", "silent", None])
async def test_a_step_gives_its_result(install: Installer, name: str, answer: str | None) -> None:
    result, step = await run(name, install, answer, FakeEnding())
    assert result == (answer or "")
    assert step.given[0][0] == TURN


@pytest.mark.parametrize("name", ["listen", "think", "speak"])
async def test_what_may_be_mended_is_tried_again_before_it_ends_the_call(
    install: Installer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept, ending = Slept(monkeypatch), FakeEnding()
    result, step = await run(name, install, StoreError("redis", "away", retryable=True), ending)
    assert len(step.given) > 3
    assert 10 < slept.total_s < 30, "what a failover of Redis takes"
    assert (result, ending.noted) == ("error", [("call-1", EndReason.ERROR)])


@pytest.mark.parametrize("name", ["listen", "think", "speak"])
async def test_a_mistake_of_ours_ends_the_call_too(install: Installer, name: str) -> None:
    ending = FakeEnding()
    result, step = await run(name, install, KeyError("hub"), ending)
    assert len(step.given) == 1
    assert (result, ending.noted) == ("error", [("call-1", EndReason.ERROR)])


@pytest.mark.parametrize("name", ["listen", "think", "speak"])
async def test_what_may_not_ends_the_call(install: Installer, name: str) -> None:
    ending = FakeEnding()
    result, _ = await run(name, install, NotFound("agent_unknown", "gone"), ending)
    assert result == "error"
    assert ending.noted == [("call-1", EndReason.ERROR)]


async def test_nobody_watches_a_turn_that_nobody_listens_to(install: Installer) -> None:
    _, step = await run("listen", install, NotFound("call_unknown", "gone"), FakeEnding())
    assert step.client.raised == [("call-1:turn:2:watch", "over", 0)]
    _, step = await run("listen", install, "", FakeEnding())
    assert step.client.raised == [], "the step has told the limit itself"


async def test_nobody_watches_the_greeting_of_a_call_that_nobody_listens_to(install: Installer) -> None:
    """Or its watch would keep the first turn, and with it the call, for a quarter of an hour."""
    step, client = FakeStep(NotFound("agent_unknown", "gone")), FakeDurableClient()
    install(steps, end_call=FakeEnding(), hear=step)
    first = TurnRequest("tenant", "call-1", 1, greet=True)
    await user_function(steps.listen)(first.to_json(), client)
    assert sorted(client.raised) == [("call-1:turn:0:watch", "over", 0), ("call-1:turn:1:watch", "over", 0)]


async def test_a_watch_that_has_not_started_yet_is_told_all_the_same(
    install: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller who hangs up at once ends the turn's listening before the engine has begun its watch."""
    slept = Slept(monkeypatch)

    class Beginning(FakeDurableClient):
        async def raise_event(self, instance_id: str, name: str, content: Any) -> None:
            if slept.total_s < 5:
                raise Exception(f"No instance with ID {instance_id} found.")
            await super().raise_event(instance_id, name, content)

    install(steps, end_call=FakeEnding(), hear=FakeStep("caller_hung_up"))
    client = Beginning()
    assert await user_function(steps.listen)(TURN.to_json(), client) == "caller_hung_up"
    assert client.raised == [("call-1:turn:2:watch", "over", 0)]


async def test_who_watches_a_turn_is_told_of_its_first_sound(install: Installer) -> None:
    _, step = await run("speak", install, "completed", FakeEnding())
    await step.given[0][1]()
    assert step.client.raised == [("call-1:turn:2:watch", "answered", 2)]


async def test_a_rescue(install: Installer) -> None:
    step = FakeStep("failed")
    install(steps, end_call=FakeEnding(), rescue=step)
    assert await user_function(steps.rescue)(TURN.to_json()) == "failed"
    assert step.given == [(TURN,)]


async def test_an_input_of_another_release_is_refused(install: Installer) -> None:
    install(steps, hear=FakeStep(""))
    with pytest.raises(InvalidRequest, match="payload_version"):
        await user_function(steps.listen)({"schema_version": 99}, object())


async def test_a_carrier_that_is_not_reached_costs_no_records(install: Installer) -> None:
    ending = FakeEnding()
    install(records, end_call=ending)
    hang_up = user_function(records.hang_up)
    request = WrapUpRequest("tenant", "call-1", 2, "silent").to_json()
    await hang_up(request)
    assert ending.hung_up == ["call-1"]
    ending.error = TelephonyError("twilio_unavailable", "x", retryable=True)
    await hang_up(request)


async def test_records_are_handed_on(install: Installer) -> None:
    kept: list[Any] = []

    class Keeping:
        async def of_turn(self, request: TurnRequest) -> None:
            kept.append(request)

        async def of_call(self, request: WrapUpRequest) -> None:
            kept.append(request)

        async def close(self, request: WrapUpRequest) -> None:
            kept.append(("closed", request))

    ending = FakeEnding()
    install(records, keep_records=Keeping(), end_call=ending)
    ended = WrapUpRequest("tenant", "call-1", 2, "silent")
    await user_function(records.record_turn)(TURN.to_json(), None)
    await user_function(records.record_call)(ended.to_json())
    await user_function(records.close_call)(ended.to_json())
    await user_function(records.end_call)(CallRequest("tenant", "call-1").to_json())
    assert kept == [TURN, ended, ("closed", ended)]
    assert ending.noted == [("call-1", EndReason.ERROR)]


@pytest.mark.parametrize("failure", [None, StoreError("down", "down", retryable=True)])
async def test_with_the_first_turn_it_is_told_that_a_call_has_begun(
    install: Installer, failure: StoreError | None
) -> None:
    told: list[Any] = []

    class Keeping:
        async def of_turn(self, request: TurnRequest) -> None:
            """Nothing to keep."""

    async def tell(calls: Any) -> None:
        told.append(calls)
        if failure:
            raise failure

    install(records, keep_records=Keeping(), after_call=SimpleNamespace(tell=tell))
    for greet in (True, False):
        await user_function(records.record_turn)(TurnRequest("t", "c", 1, greet).to_json(), None)
    assert len(told) == 1


async def test_a_call_is_ended_once_its_end_can_be_noted(install: Installer, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = Slept(monkeypatch)

    class Away(FakeEnding):
        async def note(self, call_id: str, reason: EndReason) -> None:
            if slept.total_s < 10:
                raise StoreError("redis", "away", retryable=True)
            await super().note(call_id, reason)

    ending = Away()
    install(records, end_call=ending)
    await user_function(records.end_call)(CallRequest("tenant", "call-1").to_json())
    assert ending.noted == [("call-1", EndReason.ERROR)]
