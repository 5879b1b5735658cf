"""A worker that was given up, but lives: it stops as soon as another one speaks, and at most one piece slips."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from itertools import pairwise
from typing import Any

import pytest

from shared.domain.manner import Manner
from shared.domain.playback import LEAD_MS
from shared.domain.takes import Final
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.shared.use_cases.speaking.line import (
    FakePrepared,
    answer,
    connected,
    ended,
    hold,
    interrupt,
    sound,
    speaker,
    take,
)

ANSWER = ("Let me look.", "It is on its way.", "Yes?")
WHOLE = " ".join(ANSWER)
_OPERATIONS = 60

_is_zombie: ContextVar[bool] = ContextVar("is_zombie", default=False)


class Freeze:
    """Holds the older worker up before or after its `at`th write or sending, until `thaw` is set."""

    def __init__(self, house: House, at: int, *, after: bool) -> None:
        self.frozen, self.thaw = asyncio.Event(), asyncio.Event()
        self._at, self._after, self._done = at, after, 0
        for owner, names in (
            (house.pipes, ("append",)),
            (house.live_calls, ("note", "count")),
            (house.channel, ("play", "clear")),
            (house.files, ("append",)),
        ):
            for name in names:
                setattr(owner, name, self._slow(getattr(owner, name)))

    def _slow(self, honest: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def operation(*arguments: Any, **options: Any) -> Any:
            if not _is_zombie.get():
                return await honest(*arguments, **options)
            number, self._done = self._done, self._done + 1
            if self._after and number == self._at:
                result = await honest(*arguments, **options)
                await self._wait()
                return result
            if number >= self._at:
                await self._wait()
            return await honest(*arguments, **options)

        return operation

    async def _wait(self) -> None:
        self.frozen.set()
        await self.thaw.wait()


async def _speak(house: House, tts: FakeTextToSpeech, *, as_zombie: bool) -> str:
    _is_zombie.set(as_zombie)
    return await speaker(house, tts)(turn_request(1))


async def _race(house: House, at: int, thaw_after_s: float, *, after: bool) -> bool:
    """Until both have ended; False if the older one was never held up."""
    tts = FakeTextToSpeech(house.clock)
    freeze = Freeze(house, at, after=after)
    older = asyncio.create_task(_speak(house, tts, as_zombie=True))
    frozen = asyncio.create_task(freeze.frozen.wait())
    await asyncio.wait({older, frozen}, return_when=asyncio.FIRST_COMPLETED)
    if not frozen.done():
        frozen.cancel()
        return False
    newer = asyncio.create_task(_speak(house, tts, as_zombie=False))
    await asyncio.sleep(thaw_after_s)
    freeze.thaw.set()
    assert await newer == await older == "completed"
    return True


def _slipped(house: House, whole: bytes) -> int:
    """How many pieces were sent besides the answer itself; that stands whole and in order."""
    pieces = [piece.pcm for piece in house.channel.played]
    if b"".join(pieces) == whole:
        return 0
    rests = (b"".join([*pieces[:number], *pieces[number + 1 :]]) for number in range(len(pieces)))
    assert whole in rests
    return 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("thaw_after_s", [0.0, 0.1, 1.0, 60.0])
async def test_of_two_workers_one_speaks(thaw_after_s: float, after: bool) -> None:
    for at in range(_OPERATIONS):
        async with connected() as house:
            house.change_agent(manner=Manner(filler_after_ms=0))
            await answer(house, 1, *ANSWER)
            if not await _race(house, at, thaw_after_s, after=after):
                assert at > 20
                return
            assert _slipped(house, sound(FakeTextToSpeech(house.clock), *ANSWER)) <= 1, at
            assert await ended(house, 1) == (WHOLE, "completed")
            journal = await house.live_calls.journal(CALL_ID, 1)
            assert (journal["said"], journal["outcome"]) == (WHOLE, "completed")
    pytest.fail("the step has more operations than this test looks at")


async def test_who_lives_on_beside_its_successor_speaks_no_further(house: House, tts: FakeTextToSpeech) -> None:
    """Nothing holds the older one up: it is stopped by its next piece."""
    house.change_agent(manner=Manner(filler_after_ms=0))
    await answer(house, 1, *ANSWER)
    older = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await asyncio.sleep(0.7)
    newer = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    assert await older == await newer == "completed"
    assert _slipped(house, sound(tts, *ANSWER)) <= 1
    assert house.kept("agent")[0][1].startswith(tts.sound_of(ANSWER[0]))


async def test_who_was_overtaken_fills_no_silence(house: House, tts: FakeTextToSpeech) -> None:
    prepared = FakePrepared(house.clock)
    older = asyncio.create_task(speaker(house, tts, prepared)(turn_request(1)))
    newer = asyncio.create_task(speaker(house, tts, prepared)(turn_request(1)))
    await asyncio.sleep(0.1)
    await take(house, 1, Final(1, "?"))
    await asyncio.sleep(1.5)
    await answer(house, 1, *ANSWER)
    assert await older == await newer == "completed"
    fillers = [piece for piece in house.channel.played if piece.pcm not in sound(tts, *ANSWER)]
    assert fillers
    assert all(after.from_ms - before.until_ms > LEAD_MS for before, after in pairwise(fillers))


@pytest.mark.parametrize("stops", [True, False], ids=["stop", "hold"])
async def test_who_was_overtaken_clears_no_line_and_ends_no_turn(
    house: House, tts: FakeTextToSpeech, stops: bool
) -> None:
    """It thaws when its successor has obeyed."""
    house.change_agent(manner=Manner(filler_after_ms=0))
    long = [f"This is sentence number {number} of the answer." for number in range(6)]
    await answer(house, 1, *long)
    freeze = Freeze(house, 8, after=False)
    older = asyncio.create_task(_speak(house, tts, as_zombie=True))
    await freeze.frozen.wait()
    newer = asyncio.create_task(_speak(house, tts, as_zombie=False))
    await asyncio.sleep(3.0)
    await (interrupt(house, 1) if stops else hold(house, 1))
    await asyncio.sleep(0.3)
    assert house.channel.clears == 1
    pieces = len(house.channel.played)
    freeze.thaw.set()
    await asyncio.sleep(0.3)
    assert house.channel.clears == 1
    assert len(house.channel.played) <= pieces + 1
    if not stops:
        await interrupt(house, 1)
    assert await newer == await older == "interrupted"
    said, outcome = await ended(house, 1)
    assert outcome == "interrupted"
    assert said
    assert " ".join(long).startswith(said)
