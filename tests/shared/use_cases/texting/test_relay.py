"""A line whose provider brings words over a socket, and takes them there."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.call import EndReason
from shared.domain.errors import Conflict, InvalidRequest, MediaError, Unauthenticated
from shared.domain.fillers import apology_of, fillers_of
from shared.domain.latency import latency_of
from shared.domain.ledger import Moment, read_moments
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver, Manner
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import Line
from shared.domain.telephony.orders import read_transfer
from tests.fakes.call import CALL_ID, CALL_SID, NORA, turn_request
from tests.shared.use_cases.texting.text_call import GREETING, Answer, TextCall, relay, text_call


async def _exchange(call: TextCall, words: str, sentences: int = 1) -> None:
    """The caller says this, and hears the answer to its end."""
    known = len(call.channel.words)
    await call.streams.heard(CALL_ID, words)
    await call.words(known + sentences)
    await asyncio.sleep(1)


async def test_three_turns() -> None:
    async with relay() as call:
        for words in ("one", "two", "three"):
            await _exchange(call, words)
        assert call.channel.words == [GREETING, "You said one.", "You said two.", "You said three."]
        assert call.model.asked[-1][1:] == [GREETING, "one", "You said one.", "two", "You said two.", "three"]
        results = await call.hang_up()
        assert results["hear 4"] == "caller_hung_up"
        assert [(await call.said(turn))[1] for turn in range(4)] == ["completed"] * 4
        assert [await call.said(turn) for turn in (1, 2)] == [
            ("You said one.", "completed"),
            ("You said two.", "completed"),
        ]


async def test_every_answer_has_its_end() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.", "Second."))
        await _exchange(call, "tell me", 2)
        assert call.channel.words == [GREETING, "First.", "Second."]
        assert [is_last for _, is_last in call.channel.said] == [True, False, True]
        assert set(call.channel.languages) == {"en"}


async def test_a_turn_has_its_moments() -> None:
    async with relay() as call:
        await _exchange(call, "one")
        await call.said(1)
        latency = latency_of(read_moments(await call.journal(1)))
        assert latency is not None
        assert latency.total_ms == pytest.approx(300, abs=5)
        assert call.over[:2] == [(CALL_ID, 0, 9000), (CALL_ID, 1, 9000)]
        assert sorted(call.answered) == [(CALL_ID, 0), (CALL_ID, 1)]


async def test_nothing_is_said_before_the_socket_is_there() -> None:
    async with text_call(Line.TWILIO_RELAY) as call:
        await asyncio.sleep(10)
        assert not call.channel.said
        await call.connect()
        await call.words(1)


async def test_a_socket_that_never_comes() -> None:
    async with text_call(Line.TWILIO_RELAY) as call:
        results = await call.ended(within_s=30)
        assert (results["hear 1"], results["speak 0"]) == ("no_media", "unheard")


async def test_a_socket_with_a_wrong_ticket() -> None:
    async with text_call(Line.TWILIO_RELAY) as call:
        with pytest.raises(Unauthenticated):
            await call.streams.started("x", provider_call_id=CALL_SID, hub="relays", connection_id="c")
        await call.connect()
        ticket = await call.house.live_calls.issue_ticket(CALL_ID)
        with pytest.raises(Conflict):
            await call.streams.started(ticket, provider_call_id=CALL_SID, hub="relays", connection_id="c")


async def test_an_interruption() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("This is the first.", "This is the second."), sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(3)
        await asyncio.sleep(2)
        await call.streams.interrupted(CALL_ID, "This is the first. This is")
        await asyncio.sleep(1)
        await call.streams.heard(CALL_ID, "no, stop")
        await call.words(4)
        assert await call.said(1) == ("This is the first. This is", "interrupted")
        assert "interrupted_ms" in await call.journal(1)
        assert call.model.asked[-1][-3:] == ["tell me", "This is the first. This is", "no, stop"]


async def test_an_interruption_before_all_was_sent() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.", "Second.", "Third."), sentence_ms=1000)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(3)
        await call.streams.interrupted(CALL_ID, "First. Se")
        await asyncio.sleep(5)
        assert call.channel.words == [GREETING, "First.", "Second."]
        assert call.channel.said[-1] == ("", True), "the provider waits for no more of it"
        await call.streams.heard(CALL_ID, "stop")
        await call.words(4)
        assert call.model.asked[-1][-2:] == ["First. Se", "stop"]


async def test_an_interruption_of_the_greeting() -> None:
    async with relay() as call:
        await call.streams.interrupted(CALL_ID, "Hello,")
        await _exchange(call, "one")
        assert await call.said(0) == ("Hello,", "interrupted")
        assert call.model.asked[-1][1:] == ["Hello,", "one"]


async def test_an_interruption_that_heard_it_all() -> None:
    async with relay() as call:
        await call.streams.interrupted(CALL_ID, GREETING)
        assert await call.said(0) == (GREETING, "completed")


async def test_an_interruption_that_is_told_late() -> None:
    """The voice was slower than any we know: the answer had been taken to be heard."""
    async with relay() as call:
        await call.said(0)
        await call.streams.interrupted(CALL_ID, "Hello,")
        await _exchange(call, "one")
        assert await call.said(0) == ("Hello,", "interrupted")


async def test_an_interruption_that_comes_after_its_words() -> None:
    """The answer to those words is not broken off."""
    async with relay() as call:
        call.model.answers["one"] = Answer(("Well.",), sentence_ms=1000)
        await call.streams.heard(CALL_ID, "one")
        await asyncio.sleep(0.1)
        await call.streams.interrupted(CALL_ID, "Hello,")
        await call.words(2)
        assert call.channel.words[-1] == "Well."
        assert await call.said(0) == ("Hello,", "interrupted")
        assert await call.said(1) == ("Well.", "completed")


async def test_an_agent_that_may_not_be_interrupted() -> None:
    async with relay(interruptible=False) as call:
        call.model.answers["tell me"] = Answer(("First.", "Second."), sentence_ms=1000)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(2)
        await call.streams.interrupted(CALL_ID, "Fi")
        await call.streams.heard(CALL_ID, "but")
        await call.words(4)
        assert call.channel.words[1:] == ["First.", "Second.", "You said but."]
        assert await call.said(1) == ("First. Second.", "completed")


async def test_more_words_before_there_was_an_answer() -> None:
    async with relay() as call:
        call.model.answers["one"] = Answer(("Never.",), sentence_ms=3000)
        await call.streams.heard(CALL_ID, "one")
        await asyncio.sleep(1)
        await _exchange(call, "two")
        assert call.channel.words == [GREETING, "You said two."]
        assert await call.said(1) == ("", "unheard")
        assert call.model.asked[-1][-2:] == ["one", "two"]


async def test_a_message_that_comes_twice() -> None:
    async with relay() as call:
        for _ in range(3):
            await call.streams.heard(CALL_ID, "one", event_id="c/1")
        await call.words(2)
        for _ in range(2):
            await call.streams.heard(CALL_ID, "two", event_id="c/2")
        await call.words(3)
        await asyncio.sleep(2)
        assert call.channel.words == [GREETING, "You said one.", "You said two."]


@pytest.mark.parametrize(("keys", "heard"), [("12#", "(keys: 1 2)"), ("12", "(keys: 1 2)")])
async def test_keys(keys: str, heard: str) -> None:
    async with relay() as call:
        for digit in keys:
            await call.streams.key(CALL_ID, digit)
        await call.words(2)
        assert (await call.journal(1))["heard"] == heard


async def test_the_key_for_a_person() -> None:
    rule = HandOver("0", "+14155550123")
    async with relay(manner=Manner(hand_over=rule)) as call:
        await call.streams.key(CALL_ID, "1")
        await call.streams.key(CALL_ID, "0")
        await call.words(2)
        assert call.handed_over == [rule]


async def test_keys_with_words() -> None:
    async with relay() as call:
        await call.streams.key(CALL_ID, "7")
        await _exchange(call, "that one")
        assert (await call.journal(1))["heard"] == "that one (keys: 7)"


async def test_words_that_say_nothing() -> None:
    async with relay() as call:
        await call.streams.heard(CALL_ID, "  ")
        await asyncio.sleep(2)
        assert not call.model.asked


async def test_silence_ends_the_call() -> None:
    async with relay() as call:
        await _exchange(call, "one")
        results = await call.ended(within_s=30)
        assert results["hear 2"] == "silent"
        assert await call.said(1) == ("You said one.", "completed")


async def test_who_speaks_is_not_silent() -> None:
    async with relay() as call:
        for _ in range(6):
            await asyncio.sleep(8)
            await call.streams.stirred(CALL_ID)
        assert not call.workers["hear 1"].task.done()


async def test_an_answer_that_is_long_is_no_silence() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("word " * 60 + ".",), sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await asyncio.sleep(25)
        assert not call.workers["hear 2"].task.done()


async def test_a_call_that_is_too_long() -> None:
    async with relay(CallLimits(longest_call_s=15)) as call:
        await _exchange(call, "one")
        await asyncio.sleep(8)
        await _exchange(call, "two")
        assert (await call.ended())["hear 3"] == "too_long"


@pytest.mark.parametrize("after_ms", [0, 5, 50, 150, 290, 310, 450, 900, 3000, 20_000])
async def test_a_hang_up_at_any_time(after_ms: int) -> None:
    async with relay(silence_limit_s=60) as call:
        call.model.answers["tell me"] = Answer(("First.", "Second.", "Third."))
        await call.streams.heard(CALL_ID, "tell me")
        await asyncio.sleep(after_ms / 1000)
        results = await call.hang_up()
        assert results[f"hear {call.turns}"] == "caller_hung_up"
        said, outcome = await call.said(1)
        assert outcome in ("unheard", "interrupted", "completed")
        assert "First. Second. Third.".startswith(said)


async def test_a_sentence_that_does_not_get_through_at_once() -> None:
    async with relay() as call:
        call.channel.errors = [MediaError("service_away", "away", retryable=True)]
        await _exchange(call, "one")
        assert call.channel.words == [GREETING, "You said one."]
        assert call.workers["speak 1"].runs == 2


async def test_a_line_that_is_gone() -> None:
    async with relay() as call:
        call.channel.errors = [MediaError("connection_gone", "gone")]
        await call.streams.heard(CALL_ID, "one")
        assert await call.said(1) == ("", "unheard")
        await call.streams.ended(CALL_ID)
        assert (await call.ended())["hear 2"] == "caller_hung_up"


async def test_a_model_that_fails() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.",), fails=True)
        await _exchange(call, "tell me", 2)
        assert call.channel.words[1:] == ["First.", apology_of(NORA)]
        assert (await call.said(1))[1] == "failed"


async def test_a_model_that_is_late() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=3000)
        await _exchange(call, "tell me", 2)
        filler, answer = call.channel.words[1:]
        assert filler in fillers_of(NORA)
        assert answer == "First."
        await call.streams.interrupted(CALL_ID, f"{filler} Fir")
        assert await call.said(1) == ("Fir", "interrupted")
        assert "filler_ms" in await call.journal(1)


async def test_a_model_that_never_answers() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=60_000)
        await call.streams.heard(CALL_ID, "tell me")
        assert await call.said(1) == (apology_of(NORA), "failed")
        assert call.channel.words[-1] == apology_of(NORA)
        await _exchange(call, "two")
        assert call.channel.words[-1] == "You said two."


async def test_a_rescue() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=60_000)
        await call.streams.heard(CALL_ID, "tell me")
        await asyncio.sleep(1)
        assert await call.rescue(turn_request(1)) == "failed"
        assert await call.rescue(turn_request(1)) == "failed"
        assert call.channel.said[-1] == (apology_of(NORA), True)
        assert await call.said(1) == (apology_of(NORA), "failed")
        assert Moment.RESCUED in await call.journal(1)


async def test_a_rescue_that_comes_too_late() -> None:
    async with relay() as call:
        await _exchange(call, "one")
        assert await call.rescue(turn_request(1)) == "running"
        await call.said(1)
        assert await call.rescue(turn_request(1)) == "completed"
        assert call.channel.words[-1] == "You said one."


async def test_a_rescue_of_a_call_that_is_gone() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.",), sentence_ms=60_000)
        await call.streams.heard(CALL_ID, "tell me")
        await asyncio.sleep(1)
        call.channel.errors = [MediaError("connection_gone", "gone")]
        assert await call.rescue(turn_request(1)) == "unheard"
        await call.hang_up(EndReason.CALLER_HUNG_UP)


async def test_a_transfer_goes_with_the_end_of_the_socket() -> None:
    async with relay() as call:
        transfer = Transfer("+14155550123")
        await call.orders.order(CALL_ID, transfer)
        ((what, handoff),) = call.channel.told
        assert (what, read_transfer(handoff)) == ("end", transfer)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"to":"x"}', '{"to":"+14155550123","kind":"odd"}'])
def test_what_is_no_transfer(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_transfer(text)
