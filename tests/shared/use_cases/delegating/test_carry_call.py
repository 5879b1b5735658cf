"""A call that somebody else's agent leads: sound both ways, words on record, and every end that it may come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from shared.adapters.web.media import WebFrameDecoder
from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.call import EndReason
from shared.domain.errors import MediaError
from shared.domain.limits import CallLimits
from shared.domain.manner import Delegate, Manner, Platform
from shared.ports.delegates import DelegateEvent, Interrupted, Over, Sound, Uttered
from shared.use_cases.delegating.carry_call import CarryCall
from tests.fakes.call import CALL_ID, TENANT_ID, House, turn_request, voice
from tests.fakes.delegates import GONE, FakeDelegates, FakeSession
from tests.shared.use_cases.hearing.caller import Caller

DELEGATE = Delegate(Platform.SAMVAAD, "desk", 7)


@dataclass
class Carrying:
    house: House
    caller: Caller
    delegates: FakeDelegates
    step: asyncio.Task[str | None]

    async def until(self, holds: Callable[[], object], within_s: float = 30.0) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                await self.caller.sound(voice(100))

    async def turns(self) -> list[tuple[int, str | None, str, str]]:
        call = await self.house.call_store.get(TENANT_ID, CALL_ID)
        assert call is not None
        return [(turn.number, turn.heard, turn.said, turn.outcome.value) for turn in call.turns]

    async def end(self, reason: EndReason = EndReason.CALLER_HUNG_UP) -> str | None:
        await self.house.end_call.note(CALL_ID, reason)
        async with asyncio.timeout(30):
            return await self.step


def carry_call(house: House, delegates: FakeDelegates | None, **changes: int) -> CarryCall:
    return CarryCall(
        pipes=house.pipes,
        live_calls=house.live_calls,
        call_store=house.call_store,
        delegates=delegates,
        decoder_of=lambda live, from_ms: WebFrameDecoder(from_ms),
        channels=house.channels,
        files=house.files,
        clock=house.clock,
        limits=CallLimits(),
        **changes,
    )


@asynccontextmanager
async def carrying(
    *sessions: FakeSession, absent: int = 0, turn: int = 1, house: House | None = None, **changes: int
) -> AsyncIterator[Carrying]:
    if house is None:
        house = House()
        house.change_agent(manner=Manner(delegate=DELEGATE))
        await house.connect()
    delegates = FakeDelegates(*sessions, absent=absent)
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    step = carry_call(house, delegates, **changes)(turn_request(turn), live, house.agent, house.orchestrations)
    task = asyncio.create_task(step)
    try:
        yield Carrying(house, Caller(house), delegates, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await house.channel.finish()


def sound(duration_ms: int, *, is_last: bool = True) -> Sound:
    return Sound(b"\x11\x01" * (duration_ms * BYTES_PER_MS // 2), is_last)


async def test_sound_goes_both_ways_and_the_words_are_kept() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        session.do(Uttered(False, "Hello, this is Nora."), sound(500))
        await call.caller.sound(voice(600))
        session.do(Uttered(True, "My phone"), Uttered(True, "is broken."), Uttered(False, "I see."), sound(300))
        await call.until(lambda: len(call.house.channel.played) == 2)
        assert await call.end() == "caller_hung_up"
        assert session.heard.startswith(voice(600))
        assert [len(piece.pcm) // BYTES_PER_MS for piece in call.house.channel.played] == [500, 300]
        assert await call.turns() == [
            (0, None, "Hello, this is Nora.", "completed"),
            (1, "My phone is broken.", "I see.", "completed"),
        ]
        assert [(one["type"], one["turn"]) for one in call.house.channel.shown] == [  # type: ignore[index]
            ("said", 0),
            ("heard", 1),
            ("heard", 1),
            ("said", 1),
        ]
        assert session.has_ended
        (meeting,) = call.delegates.meetings
        assert (meeting.greeting, meeting.caller, meeting.call_id) == (
            call.house.agent.greeting,
            "+14155550100",
            CALL_ID,
        )
        assert call.house.orchestrations.over == [(CALL_ID, 0, 0), (CALL_ID, 1, 0)]
        assert await call.house.pipe(0, pipe_names.SENTENCES) == [
            {"event": "answer_end", "outcome": ""},
            {"event": "end"},
        ]
        assert await call.house.pipe(1, pipe_names.TRANSCRIPT) == [{"event": "end"}]
        caller_ms = sum(len(pcm) for _, pcm in call.house.kept("caller")) // BYTES_PER_MS
        assert caller_ms == len(session.heard) // BYTES_PER_MS
        assert call.house.kept("agent")[0][0] <= 600


async def test_small_pieces_go_out_together() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        session.do(*(sound(40, is_last=False) for _ in range(12)), sound(20))
        await call.until(lambda: len(call.house.channel.played) == 3)
        assert [len(piece.pcm) // BYTES_PER_MS for piece in call.house.channel.played] == [200, 200, 100]


async def test_an_interruption_silences_the_line_and_the_words_are_cut() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        await call.caller.sound(voice(100))
        session.do(
            Uttered(True, "Hi."), Uttered(False, "one two three four five six seven eight nine ten"), sound(2000)
        )
        await call.until(lambda: call.house.channel.played)
        await call.caller.sound(voice(1000))
        session.do(sound(100, is_last=False), Interrupted())
        await call.until(lambda: call.house.channel.clears)
        _, _, said, outcome = (await call.turns())[-1]
        assert outcome == "interrupted"
        assert 3 <= len(said.split()) <= 7
        assert 900 <= len(call.house.channel.heard()) // BYTES_PER_MS <= 1400
        await call.end()
        kept_ms = sum(len(pcm) for _, pcm in call.house.kept("agent")) // BYTES_PER_MS
        assert 900 <= kept_ms <= 1400


async def test_the_agent_ends_the_call_when_its_last_words_have_been_heard() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        await call.caller.sound(voice(100))
        session.do(sound(3000), Over())
        began_ms = call.house.clock.now_ms()
        assert await call.step == "agent_hung_up"
        assert call.house.clock.now_ms() - began_ms >= 2500
        live = await call.house.live_calls.get(CALL_ID)
        assert live is not None
        assert live.end_reason == "agent_hung_up"


async def test_a_repeated_frame_is_brought_once() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        await call.caller.sound(voice(200), repeat=3)
        await call.end()
        assert session.heard == voice(200)


async def test_frames_that_are_none_do_no_harm() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        for number in range(5):
            await call.caller.frame(b"x", str(1000 + number))
        await call.caller.frame(voice(20), "2000")
        await call.end()
        assert session.heard == voice(20)


async def test_a_line_that_takes_no_sound_does_not_end_the_conversation() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        call.house.channel.play_errors = [MediaError("line_gone", "gone")]
        session.do(sound(300), sound(200))
        await call.until(lambda: call.house.channel.played)
        assert len(call.house.channel.played) == 1


async def test_without_sound_the_call_is_over() -> None:
    async with carrying(FakeSession()) as call:
        await call.caller.sound(voice(100))
        async with asyncio.timeout(60):
            assert await call.step == "caller_hung_up"


async def test_a_delegate_that_does_not_come_leaves_the_call_to_our_own_agent() -> None:
    async with carrying(absent=1) as call:
        assert await call.step is None
        assert (await call.house.pipe(0, pipe_names.SENTENCES))[0] == {"text": call.house.agent.greeting}
        live = await call.house.live_calls.get(CALL_ID)
        assert live is not None
        again = carry_call(call.house, call.delegates)
        assert await again(turn_request(2), live, call.house.agent, call.house.orchestrations) is None
        assert len(call.delegates.meetings) == 1


async def test_where_nobody_is_set_up_our_own_agent_takes_the_call() -> None:
    house = House()
    house.change_agent(manner=Manner(delegate=DELEGATE))
    await house.connect()
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert await carry_call(house, None)(turn_request(1), live, house.agent, house.orchestrations) is None


async def test_a_delegate_that_is_lost_is_met_again_and_told_what_was_said() -> None:
    first, second = FakeSession(), FakeSession()
    async with carrying(first, second) as call:
        first.do(Uttered(False, "Hello."), Uttered(True, "Hi."), GONE)
        await call.until(lambda: len(call.delegates.meetings) == 2)
        second.do(Uttered(False, "Where were we?"))
        await call.until(lambda: len(call.house.channel.shown) == 3)
        assert await call.end() == "caller_hung_up"
        assert call.delegates.meetings[1].variables == {"conversation_so_far": "Hello.\nHi."}
        assert call.delegates.meetings[1].greeting != call.house.agent.greeting
        assert (await call.turns())[-1] == (1, "Hi.", "Where were we?", "completed")
        assert (first.has_ended, second.has_ended) == (True, True)


@pytest.mark.parametrize("come_back", [0, 1, 2])
async def test_a_delegate_that_is_lost_for_good_ends_the_call(come_back: int) -> None:
    sessions = [FakeSession() for _ in range(come_back + 1)]
    for session in sessions:
        session.do(Uttered(False, "Hello."), GONE)
    async with carrying(*sessions) as call:
        await call.caller.sound(voice(100))
        assert await call.step == "error"


async def test_a_crash_costs_what_was_said_meanwhile_and_no_more() -> None:
    first, second = FakeSession(), FakeSession()
    async with carrying(first) as call:
        first.do(Uttered(False, "Hello."), Uttered(True, "Hi."))
        await call.until(lambda: len(call.house.channel.shown) == 2)
        call.step.cancel()
        await asyncio.gather(call.step, return_exceptions=True)
        await call.caller.sound(voice(500))
        async with carrying(second, house=call.house) as again:
            again.caller.event_id = call.caller.event_id
            await again.caller.sound(voice(100))
            assert again.delegates.meetings[0].variables == {"conversation_so_far": "Hello.\nHi."}
            assert len(second.heard) <= 120 * BYTES_PER_MS
            second.do(Uttered(False, "Yes?"))
            await again.until(lambda: len(call.house.channel.shown) == 3)
            assert (await again.turns())[-1] == (1, "Hi.", "Yes?", "completed")


async def test_what_lasts_longer_than_a_turn_goes_on_in_the_next() -> None:
    first, second = FakeSession(), FakeSession()
    async with carrying(first, longest_run_ms=2000) as call:
        first.do(Uttered(False, "Hello."))
        await call.until(call.step.done)
        assert call.step.result() == ""
        assert call.house.orchestrations.began == [(CALL_ID, 1)]
        assert first.has_ended
        heard_ms = len(first.heard) // BYTES_PER_MS
        async with carrying(second, house=call.house, turn=2) as after:
            after.caller.event_id = call.caller.event_id
            await after.caller.sound(voice(400))
            second.do(Uttered(True, "Still here."))
            await after.until(lambda: len(call.house.channel.shown) == 2)
            assert await after.end() == "caller_hung_up"
            assert await after.turns() == [(0, None, "Hello.", "completed"), (1, "Still here.", "", "running")]
            begins = [at_ms for at_ms, _ in call.house.kept("caller")]
            assert abs(begins[-1] - heard_ms) <= 40


async def test_a_call_that_is_over_before_it_began() -> None:
    house = House()
    house.change_agent(manner=Manner(delegate=DELEGATE))
    await house.ring()
    async with carrying(FakeSession(), house=house) as call:
        await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
        async with asyncio.timeout(10):
            assert await call.step == "caller_hung_up"
        assert not call.delegates.meetings


EVENTS: list[DelegateEvent] = [
    Interrupted(),
    Uttered(True, "x"),
    Sound(b"", True),
    Uttered(False, "y"),
    Interrupted(),
]


async def test_any_order_of_events_is_borne() -> None:
    session = FakeSession()
    async with carrying(session) as call:
        session.do(*EVENTS, *reversed(EVENTS), Over())
        await call.caller.sound(voice(200))
        assert await call.step == "agent_hung_up"
