"""Who is asked when, who wins, and that nobody is left running."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from shared.domain.errors import LanguageModelError
from shared.use_cases.providers.provider_health import ProviderHealth
from shared.use_cases.providers.racing import EMPTY, OVERDUE_MS, Contender, Race
from tests.fakes.circuit_breakers import FakeCircuitBreakers
from tests.fakes.providers import Script

BROKEN = LanguageModelError("broken", "it broke", retryable=True)


@pytest.fixture
async def breakers() -> AsyncIterator[FakeCircuitBreakers]:
    """Nothing is left running when a test is over, and no failure is lost."""
    loop, lost = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: lost.append(context))
    yield FakeCircuitBreakers()
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0.1)
    assert not [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(("ask ", "note "))]
    assert not lost


def now_ms() -> int:
    return round(asyncio.get_running_loop().time() * 1000)


async def run(
    breakers: FakeCircuitBreakers, *scripts: Script[str], late_after_ms: int = 0, stalled_after_s: float | None = None
) -> list[tuple[str, int]]:
    """What came, and when after the start."""
    began_ms = now_ms()
    contenders = [Contender(f"p{number}", script.run) for number, script in enumerate(scripts, 1)]
    found = []
    async with Race(contenders, ProviderHealth(breakers), LanguageModelError, late_after_ms=late_after_ms) as race:
        found.append((await race.first(), now_ms() - began_ms))
        async with aclosing(race.rest(stalled_after_s=stalled_after_s)) as rest:
            async for item in rest:
                found.append((item, now_ms() - began_ms))
    return found


async def refused(breakers: FakeCircuitBreakers, *scripts: Script[str], **how: float) -> LanguageModelError:
    with pytest.raises(LanguageModelError) as error:
        await run(breakers, *scripts, **how)  # type: ignore[arg-type]
    return error.value


async def test_the_first_is_enough_and_the_second_is_never_asked(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([200, "a", 20, "b"]), Script[str](["x"])
    assert await run(breakers, first, second, late_after_ms=500) == [("a", 200), ("b", 220)]
    assert (first.ended, second.begun) == (1, 0)
    assert breakers.noted == [("p1", True)]


async def test_a_late_one_is_raced_and_the_winner_cancels_it_at_once(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([2_000, "a"]), Script[str]([200, "x", 20, "y"])
    assert await run(breakers, first, second, late_after_ms=500) == [("x", 700), ("y", 720)]
    assert (first.cancelled, second.ended) == (1, 1)
    assert breakers.noted == [("p2", True)], "too short a time to be called a failure"


async def test_a_late_one_may_still_win(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([600, "a"]), Script[str]([200, "x"])
    assert await run(breakers, first, second, late_after_ms=500) == [("a", 600)]
    assert second.cancelled == 1
    assert breakers.noted == [("p1", True)]


async def test_who_loses_after_the_deadline_has_failed(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([60_000]), Script[str]([200, "x"])
    assert await run(breakers, first, second, late_after_ms=OVERDUE_MS) == [("x", OVERDUE_MS + 200)]
    assert sorted(breakers.noted) == [("p1", False), ("p2", True)]


async def test_without_a_limit_nobody_is_raced(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([9_000, "a"]), Script[str](["x"])
    assert await run(breakers, first, second) == [("a", 9_000)]
    assert second.begun == 0


@pytest.mark.parametrize("failure", [BROKEN, ValueError("a bug")])
async def test_a_failure_before_the_first_item_is_replaced_at_once(
    breakers: FakeCircuitBreakers, failure: Exception
) -> None:
    assert await run(breakers, Script[str]([100, failure]), Script[str]([50, "x"]), late_after_ms=500) == [("x", 150)]
    assert breakers.noted == [("p1", False), ("p2", True)]


async def test_success_without_anything_is_failure(breakers: FakeCircuitBreakers) -> None:
    assert await run(breakers, Script[str]([100]), Script[str]([50, "x"])) == [("x", 150)]
    assert breakers.noted == [("p1", False), ("p2", True)]
    assert (await refused(breakers, Script[str]([]))).code == EMPTY


async def test_a_failure_while_the_second_runs_already(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([600, BROKEN]), Script[str]([400, "x"])
    assert await run(breakers, first, second, late_after_ms=500) == [("x", 900)]
    assert second.begun == 1


async def test_all_fail(breakers: FakeCircuitBreakers) -> None:
    error = await refused(breakers, Script[str]([BROKEN]), Script[str]([10]))
    assert (error.code, error.retryable, error.message) == (
        "providers_failed", True, f"p1: broken, p2: {EMPTY}",
    )  # fmt: skip
    assert await refused(breakers, Script[str]([BROKEN])) is BROKEN, "one failure is told as it is"


async def test_an_open_breaker_keeps_a_provider_out(breakers: FakeCircuitBreakers) -> None:
    breakers.open("p1")
    first, second = Script[str](["a"]), Script[str](["x"])
    assert await run(breakers, first, second, late_after_ms=500) == [("x", 0)]
    assert first.begun == 0


async def test_who_is_kept_out_is_better_than_nobody(breakers: FakeCircuitBreakers) -> None:
    for name in ("p1", "p2"):
        breakers.open(name)
    first, second = Script[str]([100, BROKEN]), Script[str]([50, "x"])
    assert await run(breakers, first, second, late_after_ms=500) == [("x", 150)]
    assert first.begun == 1


async def test_a_second_that_is_kept_out_is_not_raced(breakers: FakeCircuitBreakers) -> None:
    breakers.open("p2")
    first, second = Script[str]([900, "a"]), Script[str](["x"])
    assert await run(breakers, first, second, late_after_ms=500) == [("a", 900)]
    assert second.begun == 0


async def test_breakers_that_do_not_answer_do_not_hold_up_anything() -> None:
    class Hanging(FakeCircuitBreakers):
        async def allows(self, name: str) -> bool:
            await asyncio.sleep(5)
            return False

    assert await run(Hanging(), Script[str](["a"])) == [("a", 50)]


async def test_what_was_given_comes_before_the_failure(breakers: FakeCircuitBreakers) -> None:
    found: list[str] = []
    contenders = [Contender("p1", Script[str](["a", "b", BROKEN]).run)]
    with pytest.raises(LanguageModelError, match="broken"):
        async with Race(contenders, ProviderHealth(breakers), LanguageModelError) as race:
            found.append(await race.first())
            async for item in race.rest():
                found.append(item)
                await asyncio.sleep(0.5)
    assert found == ["a", "b"]
    await asyncio.sleep(0)
    assert breakers.noted == [("p1", True), ("p1", False)]


async def test_a_stall_after_the_first_item(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str](["a", 60_000, "b"]), Script[str](["x"])
    error = await refused(breakers, first, second, stalled_after_s=2.0)
    assert (error.code, now_ms()) == ("stalled", 2_000)
    assert breakers.noted == [("p1", True), ("p1", False)]


async def test_a_stall_is_borne_where_nobody_else_can_be_asked(breakers: FakeCircuitBreakers) -> None:
    assert await run(breakers, Script[str](["a", 4_000, "b"]), stalled_after_s=2.0) == [("a", 0), ("b", 4_000)]


async def test_a_slow_taker_is_no_stall(breakers: FakeCircuitBreakers) -> None:
    contenders = [Contender(f"p{number}", Script[str](["a", 10, "b"]).run) for number in (1, 2)]
    async with Race(contenders, ProviderHealth(breakers), LanguageModelError) as race:
        found = [await race.first()]
        await asyncio.sleep(10)
        async for item in race.rest(stalled_after_s=2.0):
            found.append(item)
            await asyncio.sleep(10)
    assert found == ["a", "b"]


@pytest.mark.parametrize("after_ms", [100, 700, 1_000])
async def test_cancelling_the_taker_cancels_all(breakers: FakeCircuitBreakers, after_ms: int) -> None:
    first, second = Script[str]([60_000]), Script[str]([400, "x", 60_000])
    task = asyncio.create_task(run(breakers, first, second, late_after_ms=500))
    await asyncio.sleep(after_ms / 1000)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (first.running, second.running) == (0, 0)
    assert first.cancelled == 1


async def test_who_is_given_up_after_long_enough_has_failed(breakers: FakeCircuitBreakers) -> None:
    task = asyncio.create_task(run(breakers, Script[str]([60_000]), late_after_ms=0))
    await asyncio.sleep(OVERDUE_MS / 1000)
    task.cancel()
    await asyncio.wait({task})
    assert breakers.noted == [("p1", False)]


async def test_a_loser_that_is_slow_to_close_holds_nobody_up(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([60_000], closing_ms=400), Script[str](["x", 20, "y"])
    assert await run(breakers, first, second, late_after_ms=500) == [("x", 500), ("y", 520)]
    assert first.cancelled == 1


async def test_the_loser_does_not_run_beside_the_winner(breakers: FakeCircuitBreakers) -> None:
    first, second = Script[str]([60_000]), Script[str](["x", 20, "y"])
    contenders = [Contender("p1", first.run), Contender("p2", second.run)]
    async with Race(contenders, ProviderHealth(breakers), LanguageModelError, late_after_ms=500) as race:
        assert await race.first() == "x"
        await asyncio.sleep(0)
        assert first.cancelled == 1


async def test_a_loser_that_fails_while_it_is_cancelled_is_not_heard_of(breakers: FakeCircuitBreakers) -> None:
    class Failing(Script[str]):
        async def run(self):  # type: ignore[no-untyped-def, override]
            try:
                await asyncio.sleep(60)
                yield "never"
            finally:
                raise ValueError("while closing")

    assert await run(breakers, Failing([]), Script[str](["x"]), late_after_ms=500) == [("x", 500)]
