"""A call on a line that carries text survives its workers, whenever they die."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import pytest

from shared.domain.call import CallState, EndReason
from shared.domain.errors import StoreError
from shared.domain.language_switch import LANGUAGE
from shared.domain.manner import Manner
from shared.domain.telephony.lines import Line
from shared.domain.telephony.text_turns import Next
from tests.fakes.call import CALL_ID, TENANT_ID
from tests.shared.use_cases.texting.text_call import GREETING, Answer, Mortal, TextCall, text_call

_STEPS = ("speak 0", "hear 1", "think 1", "speak 1", "hear 2", "speak 2", "hear 3")
_LONG = Answer(("First.", "Second.", "Third."))
_MOST_OPERATIONS = 40


async def _by_requests(call: TextCall) -> None:
    call.model.answers["tell me"] = _LONG
    assert (await call.ask(0, None)).text == GREETING
    assert (await call.ask(1, "tell me")).sentences == _LONG.sentences
    reply = await call.ask(2, "two")
    assert (reply.text, reply.next) == ("You said two.", Next.LISTEN)
    assert await call.said(2) == ("You said two.", "completed")


async def _over_a_socket(call: TextCall) -> None:
    call.model.answers["tell me"] = _LONG
    await call.connect()
    await call.words(1)
    await call.streams.heard(CALL_ID, "tell me")
    await call.words(4)
    await asyncio.sleep(2)
    await call.streams.interrupted(CALL_ID, "First. Sec")
    await call.streams.heard(CALL_ID, "two")

    async def is_answered() -> bool:
        return "You said two." in call.channel.words

    await call.until(is_answered)
    once = [before for before, text in pairwise([*call.channel.words, ""]) if text != before]
    assert once == [GREETING, *_LONG.sentences, "You said two."]
    assert len(call.channel.words) <= len(once) + 1, "only what may not have gone out is said again"
    assert await call.said(1) == ("First. Sec", "interrupted")


_TALKS = {Line.TWILIO_GATHER: _by_requests, Line.TWILIO_RELAY: _over_a_socket}


async def test_a_database_that_is_away_when_the_line_comes() -> None:
    async with text_call(Line.TWILIO_GATHER) as call:
        call.house.call_store.down = True
        with pytest.raises(StoreError):
            await call.ask(0, None)
        call.house.call_store.down = False
        assert (await call.ask(0, None)).text == GREETING
        stored = await call.house.call_store.get(TENANT_ID, CALL_ID)
        assert stored is not None
        assert stored.state is CallState.IN_PROGRESS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_worker_dies_who_has_heard_another_language(after: bool) -> None:
    for at in range(12):
        async with text_call(Line.TWILIO_RELAY, manner=Manner(languages=("en", "es"))) as call:
            Mortal(call, "hear 1", at, after=after)
            await call.connect()
            await call.words(1)
            await call.streams.heard(CALL_ID, "Buenos dias", "es-ES")
            await call.words(2)
            assert (await call.journal(1))[LANGUAGE] == "es", at


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", _STEPS)
@pytest.mark.parametrize("line", list(_TALKS))
async def test_a_worker_dies_at_any_write(line: Line, step: str, after: bool) -> None:
    for at in range(_MOST_OPERATIONS):
        async with text_call(line, silence_limit_s=60) as call:
            mortal = Mortal(call, step, at, after=after)
            await _TALKS[line](call)
            assert [asked[-1] for asked in call.model.asked][-1] == "two"
            assert call.model.asked[-1][1:-1][0] == GREETING
            results = await call.hang_up()
            assert results[f"hear {call.turns}"] == "caller_hung_up"
            assert call.turns == 3
            if mortal.done <= at:
                assert at > 0
                return
            assert call.workers[step].runs == 2
    pytest.fail("the step has more operations than this test looks at")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("line", list(_TALKS))
async def test_workers_die_at_any_time(line: Line, seed: int) -> None:
    rng = random.Random(seed)
    async with text_call(line, silence_limit_s=60) as call:
        killing = asyncio.create_task(_kill(call, rng))
        try:
            call.model.answers["tell me"] = _LONG
            if line is Line.TWILIO_GATHER:
                await _ask_until_whole(call)
            else:
                await _talk(call)
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
        results = await call.hang_up(EndReason.CALLER_HUNG_UP)
        assert results[f"hear {call.turns}"] == "caller_hung_up"
        for turn in range(call.turns + 1):
            assert (await call.said(turn))[1]


async def _kill(call: TextCall, rng: random.Random) -> None:
    while True:
        await asyncio.sleep(rng.uniform(0.01, 0.5))
        run = rng.choice(list(call.workers.values())).run
        if run is not None and not run.done():
            run.cancel()


async def _ask_until_whole(call: TextCall) -> None:
    """As a provider does that gives us two seconds."""
    assert (await call.ask(0, None, within_s=20)).text == GREETING
    for turn, (words, sentences) in enumerate(
        (("tell me", _LONG.sentences), ("two", ("You said two.",)), ("three", ("You said three.",))), start=1
    ):
        heard: list[str] = []
        reply = await call.ask(turn, words, within_s=2)
        for _ in range(20):
            heard += reply.sentences if reply.told else []
            if reply.next is not Next.COME_AGAIN:
                break
            reply = await call.ask(turn, None, after=reply.told, within_s=2)
        assert reply.next is Next.LISTEN
        assert tuple(text for text in heard if text in sentences) == sentences
        assert await call.ask(turn, words) == await call.ask(turn, words)


async def _talk(call: TextCall) -> None:
    await call.connect()
    await call.words(1)
    for words, last in (("tell me", "Third."), ("two", "You said two."), ("three", "You said three.")):
        await call.streams.heard(CALL_ID, words)

        async def is_said(last: str = last) -> bool:
            return last in call.channel.words

        await call.until(is_said)
        await asyncio.sleep(1)
