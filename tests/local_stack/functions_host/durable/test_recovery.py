"""A host that is killed in the middle of everything takes all of it up again."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.local_stack.functions_host.host_process import HostProcess, Orchestrations

pytestmark = pytest.mark.slow

_CHAINS = 40
_STEPS = 12
_KILLS = 5


@pytest.fixture
async def killable(tmp_path: Path, client: httpx.AsyncClient) -> AsyncIterator[Orchestrations]:
    host = HostProcess(tmp_path / "state")
    host.start()
    yield Orchestrations(client, host)
    host.end()


async def test_events_and_timers_outlive_the_host(killable: Orchestrations) -> None:
    waiting = await killable.start("wait_two")
    timed = await killable.start("event_or_timer", {"seconds": 0.7})
    eternal = await killable.start("eternal", {"collected": [], "wanted": 4})
    await killable.raise_event(waiting, "second", "kept")
    for number in range(3):
        await killable.raise_event(eternal, "item", number)
    killable.host.kill()
    killable.host.start()
    await killable.raise_event(waiting, "first", "new")
    await killable.raise_event(eternal, "item", 3)
    assert (await killable.wait_for(waiting))["output"] == ["new", "kept"]
    assert (await killable.wait_for(timed))["output"] == {"timer": True}
    assert (await killable.wait_for(eternal))["output"] == [0, 1, 2, 3]


async def test_a_suspended_instance_keeps_what_came_for_it(killable: Orchestrations) -> None:
    instance_id = await killable.start("event_or_timer", {"seconds": 0.2})
    await killable.control(instance_id, "suspend")
    await killable.wait_for(instance_id, {"Suspended"})
    await asyncio.sleep(0.3)
    killable.host.kill()
    killable.host.start()
    assert (await killable.status(instance_id))["runtimeStatus"] == "Suspended"
    await killable.control(instance_id, "resume")
    assert (await killable.wait_for(instance_id))["output"] == {"timer": True}


async def test_an_activity_that_was_running_runs_again_after_a_drain(killable: Orchestrations) -> None:
    instance_id = await killable.start("fails_fast")
    await asyncio.sleep(0.1)
    assert killable.host.stop() == 0
    killable.host.start()
    assert (await killable.wait_for(instance_id))["runtimeStatus"] == "Completed"


async def test_signals_to_entities_outlive_the_host(killable: Orchestrations) -> None:
    base = f"{killable.host.webhooks}/entities/Counter/k"
    for _ in range(20):
        await killable.use_client("signal_entity", "k", operation_name="add", operation_input=1)
    killable.host.kill()
    killable.host.start()
    base = f"{killable.host.webhooks}/entities/Counter/k"
    async with asyncio.timeout(5):
        while (await killable.client.get(base)).text != "20":
            await asyncio.sleep(0.02)


async def test_many_chains_through_many_kills(killable: Orchestrations, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    for number in range(_CHAINS):
        given = {"steps": _STEPS, "file": str(marks), "chain": number}
        await killable.start("recorded_chain", given, f"chain-{number}")
    dice = random.Random(7)
    for _ in range(_KILLS):
        await asyncio.sleep(dice.uniform(0.05, 0.4))
        killable.host.kill()
        killable.host.start()
    for number in range(_CHAINS):
        status = await killable.wait_for(f"chain-{number}", timeout_s=60)
        assert (status["runtimeStatus"], status["output"]) == ("Completed", _STEPS + _STEPS // 3), status
    done = Counter(marks.read_text("utf-8").split())
    expected = {f"{chain}:{step}" for chain in range(_CHAINS) for step in range(_STEPS)}
    expected |= {f"{chain}:child-{step}" for chain in range(_CHAINS) for step in range(2, _STEPS, 3)}
    assert set(done) == expected
    # At least once; again only what a kill interrupted.
    assert sum(done.values()) - len(expected) < _KILLS * _CHAINS
