"""Speech is transcribed in pieces that end where it is quiet."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from local_stack.speech.audio import Floats, Pcm
from local_stack.speech.local.pieces import LONGEST_PIECE_S, StretchInPieces

RATE_HZ = 24_000


def loud(seconds: float) -> Floats:
    return np.sin(np.arange(round(seconds * RATE_HZ)) / 20).astype(np.float32)


def quiet(seconds: float) -> Floats:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


class Ear:
    """Tells the length of every piece, in tenths of a second."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, pcm: Pcm) -> str:
        self.seconds.append(pcm.seconds)
        await asyncio.sleep(0)
        return f"{pcm.seconds:.1f}" if np.abs(pcm.samples).max() > 0 else ""


def feed(stretch: StretchInPieces, *sounds: Floats) -> None:
    sound = np.concatenate(sounds)
    for begin in range(0, len(sound), 2400):
        stretch.feed(sound[begin : begin + 2400])


CONTEXT: Any = None


async def test_a_piece_is_done_before_the_words_are_wanted() -> None:
    ear = Ear()
    stretch = StretchInPieces(ear, RATE_HZ)
    feed(stretch, loud(2.5), quiet(0.2), loud(1.0))
    await asyncio.sleep(0.01)
    assert ear.seconds == [pytest.approx(2.56, abs=0.05)]
    assert stretch.seconds == pytest.approx(3.7)
    assert await stretch.words(CONTEXT) == "2.6 1.1"
    assert sum(ear.seconds) == pytest.approx(3.7)


async def test_short_speech_is_one_piece() -> None:
    ear = Ear()
    stretch = StretchInPieces(ear, RATE_HZ)
    feed(stretch, loud(0.5), quiet(0.3), loud(0.5))
    assert await stretch.words(CONTEXT) == "1.3"


async def test_who_makes_no_pause_is_cut_where_it_is_quietest() -> None:
    ear = Ear()
    stretch = StretchInPieces(ear, RATE_HZ)
    feed(stretch, loud(7.0), loud(0.1) / 10, loud(4.0))
    await stretch.words(CONTEXT)
    assert ear.seconds[0] == pytest.approx(7.05, abs=0.06)
    assert max(ear.seconds) <= LONGEST_PIECE_S


async def test_nothing_is_nothing() -> None:
    assert await StretchInPieces(Ear(), RATE_HZ).words(CONTEXT) == ""


async def test_who_does_not_wait_stops_the_work() -> None:
    async def forever(pcm: Pcm) -> str:
        await asyncio.Event().wait()
        return ""

    stretch = StretchInPieces(forever, RATE_HZ)
    feed(stretch, loud(1.0))
    task = asyncio.create_task(stretch.words(CONTEXT))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks()) == 1
