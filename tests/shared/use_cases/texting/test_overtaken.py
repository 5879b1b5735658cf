"""A worker that was given up, but lives, falls silent as soon as another one speaks in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from shared.domain import pipe_names
from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import Line
from tests.fakes.call import CALL_ID, TENANT_ID
from tests.shared.use_cases.texting.text_call import GREETING, Answer, TextCall, text_call

_LONG = Answer(("First.", "Second.", "Third."))
_TURN = TurnRequest(TENANT_ID, CALL_ID, 1)
_MOST_OPERATIONS = 40

_is_zombie: ContextVar[bool] = ContextVar("is_zombie", default=False)


class Freeze:
    """Holds the older worker up at its `at`th write or sending, until `thaw` is set. `frozen`: it is held."""

    def __init__(self, call: TextCall, at: int) -> None:
        self.frozen, self.thaw = asyncio.Event(), asyncio.Event()
        self._at, self._done = at, 0
        for owner, names in (
            (call.house.pipes, ("append",)),
            (call.house.live_calls, ("note", "note_once", "count")),
            (call.channel, ("say",)),
        ):
            for name in names:
                setattr(owner, name, self._slow(getattr(owner, name)))

    def _slow(self, honest: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def operation(*arguments: Any, **options: Any) -> Any:
            if _is_zombie.get():
                self._done += 1
                if self._done > self._at:
                    self.frozen.set()
                    await self.thaw.wait()
            return await honest(*arguments, **options)

        return operation


async def _speak(call: TextCall, *, as_zombie: bool) -> str:
    _is_zombie.set(as_zombie)
    return await call.speak(_TURN)


async def _race(call: TextCall, at: int, thaw_after_s: float) -> bool:
    """Both workers speak until the answer is told; False if the older one was never held up."""
    freeze = Freeze(call, at)
    call.workers.pop("speak 1").task.cancel()
    older = asyncio.create_task(_speak(call, as_zombie=True))
    talking = asyncio.create_task(_talk(call))
    frozen = asyncio.create_task(freeze.frozen.wait())
    await asyncio.wait({older, frozen, asyncio.create_task(asyncio.sleep(20))}, return_when=asyncio.FIRST_COMPLETED)
    if not frozen.done():
        frozen.cancel()
        await asyncio.gather(talking, older)
        return False
    newer = asyncio.create_task(_speak(call, as_zombie=False))
    await asyncio.sleep(thaw_after_s)
    freeze.thaw.set()
    await talking
    assert await newer == await older == "completed"
    return True


async def _talk(call: TextCall) -> None:
    if call.house.line is Line.TWILIO_RELAY:
        await call.streams.heard(CALL_ID, "tell me")
        return
    reply = await call.ask(1, "tell me", within_s=20.0)
    assert reply.sentences == _LONG.sentences


@pytest.mark.parametrize("thaw_after_s", [0.0, 0.2, 1.0, 30.0])
@pytest.mark.parametrize("line", [Line.TWILIO_RELAY, Line.TWILIO_GATHER])
async def test_of_two_workers_one_speaks(line: Line, thaw_after_s: float) -> None:
    for at in range(_MOST_OPERATIONS):
        async with text_call(line, silence_limit_s=200) as call:
            call.model.answers["tell me"] = _LONG
            if line is Line.TWILIO_RELAY:
                await call.connect()
                await call.words(1)
            else:
                assert (await call.ask(0, None)).text == GREETING
            if not await _race(call, at, thaw_after_s):
                assert at > 4
                return
            spoken = call.channel.words[1:]
            if line is Line.TWILIO_GATHER:
                spoken = [entry["text"] for entry in await call.house.pipe(1, pipe_names.REPLY) if "text" in entry]
            assert _without_one_twice(spoken) == list(_LONG.sentences), (at, spoken)
            assert await call.said(1) == (" ".join(_LONG.sentences), "completed")
    pytest.fail("the step has more operations than this test looks at")


def _without_one_twice(spoken: list[str]) -> list[str]:
    """One sentence was perhaps on its way when the other worker began."""
    for number, sentence in enumerate(spoken):
        if sentence in spoken[:number]:
            return spoken[:number] + spoken[number + 1 :]
    return spoken


async def test_a_worker_that_was_overtaken_says_no_filler_and_closes_no_answer() -> None:
    async with text_call(Line.TWILIO_RELAY, silence_limit_s=200) as call:
        call.model.answers["tell me"] = Answer(("Late.",), sentence_ms=5000)
        await call.connect()
        await call.words(1)
        before = len(call.channel.said)
        newer = asyncio.create_task(call.speak(_TURN))  # beside the worker that runs already
        await call.streams.heard(CALL_ID, "tell me")
        assert await newer == "completed"
        fillers = [text for text, _ in call.channel.said[before:] if text not in ("", "Late.")]
        assert len(fillers) == len(set(fillers)), "two workers filled the same silence"
        assert [text for text, _ in call.channel.said[before:]].count("Late.") == 1
