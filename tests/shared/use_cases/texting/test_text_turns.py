"""A line that brings words by requests and takes the answer with it."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.call import CallState, EndReason
from shared.domain.errors import Conflict, InvalidRequest, NotFound
from shared.domain.fillers import apology_of, fillers_of
from shared.domain.latency import latency_of
from shared.domain.ledger import Moment, read_moments
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver, Manner
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.lines import Line
from shared.domain.telephony.text_turns import Next
from tests.fakes.call import CALL_ID, NORA, TENANT_ID, turn_request
from tests.shared.use_cases.texting.text_call import GREETING, Answer, TextCall, by_requests, text_call


async def test_three_turns() -> None:
    async with by_requests() as call:
        greeting = await call.ask(0, None)
        assert (greeting.text, greeting.next, greeting.turn, greeting.told) == (GREETING, Next.LISTEN, 0, 1)
        assert (greeting.language, greeting.voice) == (NORA.language, NORA.voice)
        for turn, words in enumerate(("one", "two", "three"), start=1):
            reply = await call.ask(turn, words)
            assert (reply.text, reply.next, reply.turn) == (f"You said {words}.", Next.LISTEN, turn)
        assert call.model.asked[-1][1:] == [GREETING, "one", "You said one.", "two", "You said two.", "three"]
        results = await call.hang_up()
        assert results["hear 4"] == "caller_hung_up"
        assert [await call.said(turn) for turn in range(4)] == [
            (GREETING, "completed"),
            ("You said one.", "completed"),
            ("You said two.", "completed"),
            ("You said three.", "completed"),
        ]
        stored = await call.house.call_store.get(TENANT_ID, CALL_ID)
        assert stored is not None
        assert stored.state is CallState.IN_PROGRESS


async def test_a_turn_has_its_moments() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        await call.ask(1, "one")
        await call.said(1)
        journal = await call.journal(1)
        assert journal["heard"] == "one"
        latency = latency_of(read_moments(journal))
        assert latency is not None
        assert latency.total_ms == pytest.approx(300, abs=5)
        assert float(journal[Moment.PLAYBACK_ENDED]) > float(journal[Moment.FIRST_FRAME_SENT])
        assert call.over[:2] == [(CALL_ID, 0, 9000), (CALL_ID, 1, 9000)]
        assert sorted(call.answered) == [(CALL_ID, 0), (CALL_ID, 1)]


async def test_a_request_that_comes_twice_is_one() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        both = await asyncio.gather(call.ask(1, "one"), call.ask(1, "one"))
        assert both[0] == both[1]
        assert await call.ask(1, "one") == both[0]
        assert len(call.model.asked) == 1


async def test_a_request_for_an_earlier_turn_gets_that_turns_reply() -> None:
    async with by_requests() as call:
        first = await call.ask(0, None)
        second = await call.ask(1, "one")
        await call.ask(2, "two")
        assert await call.ask(1, "something else") == second
        assert await call.ask(0, None) == first
        assert len(call.model.asked) == 2


@pytest.mark.parametrize("turn", [2, 7])
async def test_words_for_a_turn_that_is_not_the_next_one(turn: int) -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        with pytest.raises(Conflict, match="turn_unknown"):
            await call.ask(turn, "one")


async def test_who_comes_again_for_words_that_never_came() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        with pytest.raises(Conflict, match="turn_unknown"):
            await call.ask(1, None)


async def test_a_request_that_makes_no_sense() -> None:
    async with by_requests() as call:
        for turn, words in ((-1, None), (0, "one")):
            with pytest.raises(InvalidRequest):
                await call.ask(turn, words)


async def test_an_unknown_call() -> None:
    call = TextCall(Line.CONNECT)
    with pytest.raises(NotFound):
        await call.ask(0, None)


async def test_a_line_that_has_a_socket_is_not_asked() -> None:
    async with text_call(Line.TWILIO_RELAY) as call:
        with pytest.raises(Conflict, match="not_by_turns"):
            await call.ask(0, None)


async def test_who_never_asked_for_the_greeting() -> None:
    async with by_requests() as call:
        assert (await call.ask(1, "one")).text == "You said one."


async def test_a_long_answer_comes_in_parts() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.", "Second.", "Third."), sentence_ms=1000)
        reply = await call.ask(1, "tell me", within_s=1.5)
        assert (reply.sentences, reply.told, reply.next) == (("First.",), 1, Next.COME_AGAIN)
        reply = await call.ask(1, None, after=1, within_s=1.0)
        assert (reply.sentences, reply.told, reply.next) == (("Second.",), 2, Next.COME_AGAIN)
        reply = await call.ask(1, None, after=2)
        assert (reply.sentences, reply.told, reply.next) == (("Third.",), 3, Next.LISTEN)
        assert (await call.ask(1, "tell me")).sentences == ("First.", "Second.", "Third.")
        await call.ask(2, "two")
        assert await call.said(1) == ("First. Second. Third.", "completed")


async def test_what_the_line_never_asked_for_was_not_heard() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.", "Second.", "Third."), sentence_ms=1000)
        await call.ask(1, "tell me", within_s=1.5)
        await call.ask(2, "stop")
        assert await call.said(1) == ("First.", "interrupted")
        assert call.model.asked[-1][-3:] == ["tell me", "First.", "stop"]


async def test_words_before_there_was_an_answer() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=5000)
        await call.ask(1, "tell me", within_s=1.0)
        assert (await call.ask(2, "quickly")).text == "You said quickly."
        assert await call.said(1) == ("", "unheard")
        assert call.model.asked[-1][-2:] == ["tell me", "quickly"]


async def test_who_waits_is_told_so() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=4000)
        reply = await call.ask(1, "tell me", within_s=2.0)
        assert (reply.told, reply.next) == (0, Next.COME_AGAIN)
        assert reply.text in fillers_of(NORA)
        again = await call.ask(1, None, after=0, within_s=3.0)
        assert (again.sentences, again.next) == (("First.",), Next.LISTEN)
        assert await call.said(1) == ("First.", "completed")
        assert (await call.journal(1))["cost.fillers"] == "1"


async def test_nothing_was_said() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        reply = await call.ask(1, " ")
        assert (reply.turn, reply.text, reply.told, reply.next) == (0, "", 1, Next.LISTEN)
        assert (await call.ask(1, "one")).text == "You said one."


async def test_nothing_was_said_for_too_long() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        await asyncio.sleep(NORA.silence_limit_s + 3)
        assert (await call.ask(1, "")).next is Next.HANG_UP
        assert (await call.ended())["hear 1"] == "silent"


async def test_a_provider_that_never_comes_again() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        results = await call.ended(within_s=100)
        assert results["hear 1"] == "silent"
        assert (await call.ask(1, "one")).next is Next.HANG_UP


async def test_a_provider_that_never_comes_for_the_answer() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        asking = asyncio.create_task(call.ask(1, "one"))
        await asyncio.sleep(0.01)
        asking.cancel()
        results = await call.ended(within_s=300)
        assert results["hear 2"] == "silent"
        assert results["speak 1"] == "unheard"


async def test_a_provider_that_never_comes_at_all() -> None:
    async with by_requests() as call:
        results = await call.ended(within_s=30)
        assert results["hear 1"] == "no_media"
        assert (CALL_ID, 0, 0) in call.over
        assert (await call.ask(0, None)).next is Next.HANG_UP


async def test_a_call_that_is_too_long() -> None:
    async with by_requests(CallLimits(longest_call_s=20)) as call:
        await call.ask(0, None)
        for turn in range(1, 5):
            await asyncio.sleep(3)
            await call.ask(turn, "and then")
        assert (await call.ended())["hear 5"] == "too_long"
        assert (await call.ask(5, "more")).next is Next.HANG_UP


async def test_a_hang_up_while_the_answer_is_awaited() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.", "Second."), sentence_ms=1000)
        asking = asyncio.create_task(call.ask(1, "tell me"))
        await asyncio.sleep(1.2)
        await call.house.end_call.note(CALL_ID, EndReason.OPERATOR_HUNG_UP)
        reply = await asking
        assert (reply.next, reply.sentences) == (Next.HANG_UP, ("First.",))
        assert (await call.ended())["hear 2"] == "operator_hung_up"


async def test_a_model_that_fails() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.",), fails=True)
        reply = await call.ask(1, "tell me")
        assert reply.sentences == ("First.", apology_of(NORA))
        assert await call.said(1) == (reply.text, "failed")


async def test_a_model_that_never_answers() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=60_000)
        reply = await call.ask(1, "tell me", within_s=10)
        assert reply.sentences == (apology_of(NORA),)
        assert await call.said(1) == (apology_of(NORA), "failed")
        assert "rescued_ms" in await call.journal(1)
        assert (await call.ask(2, "two")).text == "You said two."


async def test_a_rescue() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=60_000)
        asking = asyncio.create_task(call.ask(1, "tell me", within_s=10))
        await asyncio.sleep(1)
        assert await call.rescue(turn_request(1)) == "failed"
        assert await call.rescue(turn_request(1)) == "failed"
        reply = await asking
        assert (reply.sentences, reply.next) == ((apology_of(NORA),), Next.LISTEN)
        assert await call.said(1) == (apology_of(NORA), "failed")


@pytest.mark.parametrize("kind", list(TransferKind))
async def test_a_transfer(kind: TransferKind) -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        transfer = Transfer("+14155550123", kind, whisper="Maria calls")
        await call.orders.order(CALL_ID, transfer)
        reply = await call.ask(1, "one")
        assert (reply.text, reply.next, reply.transfer) == ("You said one.", Next.TRANSFER, transfer)
        assert await call.ask(1, "one") == reply
        if kind is TransferKind.COLD:
            assert (await call.ended())["hear 2"] == "transferred"
            return
        assert (await call.ask(2, "")).next is Next.LISTEN
        assert (await call.ask(2, "two")).next is Next.LISTEN


@pytest.mark.parametrize("words", ["0", " (keys: 0)"])
@pytest.mark.parametrize("kind", list(TransferKind))
async def test_the_key_for_a_person(kind: TransferKind, words: str) -> None:
    manner = Manner(hand_over=HandOver("0", "+14155550123", kind))
    async with by_requests(manner=manner) as call:
        await call.ask(0, None)
        for _ in range(3):
            reply = await call.ask(1, words)
            assert (reply.next, reply.transfer) == (Next.TRANSFER, Transfer("+14155550123", kind))
        if kind is TransferKind.COLD:
            assert (await call.ended())["hear 1"] == "transferred"
            assert (await call.ask(1, words)).next is Next.TRANSFER
            return
        await call.house.live_calls.leave(CALL_ID, "")
        await call.orders.ended(CALL_ID)
        assert (await call.ask(1, "nobody was there")).text == "You said nobody was there."
        assert (await call.ask(2, words)).next is Next.TRANSFER


async def test_the_key_for_a_person_where_nobody_can_be_put_through() -> None:
    manner = Manner(hand_over=HandOver("0", "+14155550123", TransferKind.WARM))
    async with text_call(Line.SARVAM, manner=manner) as call:
        await call.ask(0, None)
        assert (await call.ask(1, "0")).text == "You said 0."


async def test_a_transfer_of_a_caller_who_says_nothing() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        await call.orders.order(CALL_ID, Transfer("+14155550123", TransferKind.WARM))
        assert (await call.ask(1, "")).next is Next.TRANSFER
        assert (await call.ask(1, "")).next is Next.TRANSFER
        await call.orders.ended(CALL_ID)
        assert (await call.ask(1, "")).next is Next.LISTEN


async def test_a_transfer_that_nobody_can_carry_out() -> None:
    async with text_call(Line.SARVAM) as call:
        with pytest.raises(InvalidRequest, match="unsupported"):
            await call.orders.order(CALL_ID, Transfer("+14155550123", TransferKind.WARM))
    async with by_requests() as call:
        await call.hang_up()
        with pytest.raises(Conflict):
            await call.orders.order(CALL_ID, Transfer("+14155550123"))


async def test_a_caller_who_is_with_somebody_else_is_not_silent() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        await call.orders.order(CALL_ID, Transfer("+14155550123", TransferKind.WARM))
        assert (await call.ask(1, "one")).next is Next.TRANSFER
        await asyncio.sleep(600)
        await call.orders.ended(CALL_ID)
        await asyncio.sleep(NORA.silence_limit_s / 2)
        reply = await call.ask(2, "")
        assert (reply.turn, reply.next) == (1, Next.LISTEN)
        await asyncio.sleep(NORA.silence_limit_s)
        assert (await call.ask(2, "")).next is Next.HANG_UP


async def test_a_caller_who_is_being_put_through_is_not_silent() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        await call.house.live_calls.leave(CALL_ID, EndReason.TRANSFERRED)
        await asyncio.sleep(600)
        assert (await call.ask(1, "")).next is Next.LISTEN


async def test_the_greeting_waits_for_no_step() -> None:
    call = TextCall(Line.VONAGE_INPUT)
    await call.ring()
    await call.close()
    assert (await call.ask(0, None, within_s=0.1)).text == GREETING


@pytest.mark.parametrize("after_ms", [0, 1, 10, 290, 310, 595, 605, 1000, 5000])
async def test_a_hang_up_at_any_time(after_ms: int) -> None:
    async with by_requests(silence_limit_s=60) as call:
        call.model.answers["tell me"] = Answer(("First.", "Second."))
        await call.ask(0, None)
        asking = asyncio.create_task(call.ask(1, "tell me"))
        await asyncio.sleep(after_ms / 1000)
        results = await call.hang_up()
        assert results[f"hear {call.turns}"] == "caller_hung_up"
        assert (await asking).next is (Next.HANG_UP if after_ms < 600 else Next.LISTEN)
        said, outcome = await call.said(1)
        assert outcome in ("unheard", "interrupted", "completed")
        assert "First. Second.".startswith(said)


async def test_its_records_have_no_sound() -> None:
    async with by_requests() as call:
        await call.ask(0, None)
        await call.ask(1, "one")
        await call.hang_up()
        await call.record()
        stored = await call.house.call_store.get(TENANT_ID, CALL_ID)
        assert stored is not None
        assert (stored.state, stored.recording) == (CallState.COMPLETED, None)
        assert [(turn.heard, turn.said) for turn in stored.turns] == [(None, GREETING), ("one", "You said one.")]
        assert call.house.call_store.transcripts[CALL_ID].splitlines() == [
            f"agent: {GREETING}",
            "caller: one",
            "agent: You said one.",
        ]
        assert [turn.number for turn, *_ in call.house.meter.recorded] == [0, 1]
        assert not call.house.pipes.names
        with pytest.raises(NotFound):
            await call.ask(2, "two")


async def test_an_agent_that_does_not_greet() -> None:
    async with by_requests(greeting="") as call:
        reply = await call.ask(0, None)
        assert (reply.text, reply.next) == ("", Next.LISTEN)
        assert (await call.ask(1, "one")).text == "You said one."
