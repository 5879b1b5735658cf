"""How pieces of many streams become one run, and what a run that fails or a waiter that leaves does to the others."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from shared.adapters.silero.batch import WINDOW_SAMPLES, Batch, Memory, Sound


class EchoModel:
    """Answers each row with its first new sample, and counts in the state how many pieces the stream has had."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.error: Exception | None = None

    def run(self, _: None, given: dict[str, Any]) -> tuple[Sound, Sound]:
        self.runs.append(len(given["input"]))
        if self.error:
            raise self.error
        return given["input"][:, 64:65], given["state"] + 1


def sound(value: float) -> Sound:
    return np.full(WINDOW_SAMPLES, value, dtype=np.float32)


def pieces_heard(memory: Memory) -> float:
    return float(memory.state.mean())


async def hear(batch: Batch, *streams: tuple[Memory, float]) -> list[float]:
    return await asyncio.gather(*(batch.probability(memory, sound(value)) for memory, value in streams))


async def test_what_is_there_at_once_is_one_run_and_each_gets_its_own() -> None:
    model = EchoModel()
    batch = Batch(model)
    ears = [batch.open() for _ in range(12)]
    for turn in range(3):
        values = [number / 100 + turn for number in range(12)]
        assert await hear(batch, *zip(ears, values, strict=True)) == pytest.approx(values)
    assert model.runs == [12, 12, 12]
    assert [pieces_heard(ear) for ear in ears] == [3.0] * 12
    assert [float(ear.context[0]) for ear in ears] == pytest.approx(values)


async def test_a_run_is_never_longer_than_sixteen_rows() -> None:
    model = EchoModel()
    batch = Batch(model)
    ears = [batch.open() for _ in range(40)]
    assert await hear(batch, *((ear, 0.5) for ear in ears)) == [0.5] * 40
    assert model.runs == [16, 16, 8]


async def test_a_lone_stream_is_heard_in_the_next_turn_of_the_loop() -> None:
    model = EchoModel()
    batch = Batch(model)
    ear = batch.open()
    hearing = asyncio.create_task(batch.probability(ear, sound(0.3)))
    for _ in range(3):
        await asyncio.sleep(0)
    assert hearing.done()
    assert model.runs == [1]


async def test_who_stops_waiting_has_not_heard_and_harms_nobody() -> None:
    batch = Batch(EchoModel())
    leaving, staying = batch.open(), batch.open()
    left = asyncio.create_task(batch.probability(leaving, sound(0.1)))
    stayed = asyncio.create_task(batch.probability(staying, sound(0.2)))
    await asyncio.sleep(0)
    left.cancel()
    assert await stayed == pytest.approx(0.2)
    with pytest.raises(asyncio.CancelledError):
        await left
    assert (pieces_heard(leaving), pieces_heard(staying)) == (0.0, 1.0)
    assert await hear(batch, (leaving, 0.4), (staying, 0.5)) == pytest.approx([0.4, 0.5])


async def test_all_may_leave() -> None:
    model = EchoModel()
    batch = Batch(model)
    ear = batch.open()
    left = asyncio.create_task(batch.probability(ear, sound(0.1)))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert await batch.probability(ear, sound(0.6)) == pytest.approx(0.6)
    assert model.runs == [1]


async def test_an_error_reaches_all_who_wait_and_the_next_run_is_a_new_one() -> None:
    model = EchoModel()
    batch = Batch(model)
    ears = [batch.open() for _ in range(3)]
    model.error = RuntimeError("the model is broken")
    waiting = [batch.probability(ear, sound(0.5)) for ear in ears]
    assert await asyncio.gather(*waiting, return_exceptions=True) == [model.error] * 3
    model.error = None
    assert await hear(batch, *((ear, 0.7) for ear in ears)) == pytest.approx([0.7] * 3)
    assert [pieces_heard(ear) for ear in ears] == [1.0] * 3


async def test_a_stream_hears_one_piece_after_the_other() -> None:
    batch = Batch(EchoModel())
    ear = batch.open()
    first = asyncio.create_task(batch.probability(ear, sound(0.1)))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one piece after the other"):
        await batch.probability(ear, sound(0.2))
    assert await first == pytest.approx(0.1)


def test_a_loop_that_ended_in_the_middle_leaves_nothing_behind() -> None:
    batch = Batch(EchoModel())
    ears = [batch.open() for _ in range(8)]

    async def begin() -> None:
        asyncio.get_running_loop().create_task(batch.probability(ears[0], sound(0.1)))
        await asyncio.sleep(0)

    asyncio.run(begin())
    assert asyncio.run(hear(batch, (ears[0], 0.2))) == pytest.approx([0.2])
