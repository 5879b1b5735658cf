"""Sockets that carry words break at any time and are replaced: no sentence is lost, whatever else goes wrong."""

from __future__ import annotations

import asyncio
import random

import pytest

from shared.domain.call import EndReason
from shared.domain.errors import MediaError
from shared.domain.telephony.lines import Line
from tests.fakes.call import CALL_ID, turn_request
from tests.shared.use_cases.texting.test_whole_text_calls import _begun
from tests.shared.use_cases.texting.text_call import GREETING, Answer, Mortal, TextCall, relay

_MS_PER_LETTER = 60
_SENTENCES = ("This is the first of the sentences.", "Then comes the second.", "And that is the third.")


async def test_a_socket_that_drops_in_mid_sentence_and_comes_back() -> None:
    async with relay() as call:
        call.model.answers["tell me"] = Answer(("First.", "Second.", "Third."))
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(2)
        call.channel.errors = [MediaError("connection_gone", "gone")]
        await call.house.live_calls.detach(CALL_ID, connection_id="connection-1")
        await asyncio.sleep(2)
        await call.connect("connection-2")
        await call.words(4)
        assert call.channel.words[1:] == ["First.", "Second.", "Third."]
        assert call.channel.opened[-1].connection_id == "connection-2"
        await call.streams.heard(CALL_ID, "two")
        await call.until_said("You said two.")
        assert await call.said(1) == ("First. Second. Third.", "completed")


@pytest.mark.parametrize("interruptible", [True, False])
async def test_a_socket_that_drops_after_all_was_sent(interruptible: bool) -> None:
    """What it was given and had not said is said by the one that takes its place."""
    async with relay(interruptible=interruptible) as call:
        call.model.answers["tell me"] = Answer(_SENTENCES, sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(4)
        await asyncio.sleep(3)
        await call.move_media.lost(CALL_ID, "connection-1")
        call.channel.gone = {"connection-1"}
        await asyncio.sleep(1)
        await call.connect("connection-2")
        await call.words(6)
        assert call.channel.words[1:] == [*_SENTENCES, *_SENTENCES[1:]]
        assert call.channel.said[-1] == (_SENTENCES[2], True)
        await call.streams.heard(CALL_ID, "two")
        await call.until_said("You said two.")
        assert await call.said(1) == (" ".join(_SENTENCES), "completed")
        assert call.model.asked[-1][-2:] == [" ".join(_SENTENCES), "two"]


async def test_an_interruption_of_what_is_said_again() -> None:
    """The new session knows only of its own words."""
    async with relay() as call:
        call.model.answers["tell me"] = Answer(_SENTENCES, sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(4)
        await asyncio.sleep(3)
        await call.move_media.lost(CALL_ID, "connection-1")
        call.channel.gone = {"connection-1"}
        await asyncio.sleep(1)
        await call.connect("connection-2")
        await call.words(6)
        await asyncio.sleep(1)
        await call.streams.interrupted(CALL_ID, "Then comes the")
        await call.streams.heard(CALL_ID, "two")
        assert await call.said(1) == (f"{_SENTENCES[0]} Then comes the", "interrupted")


async def test_who_may_not_be_interrupted_answers_the_next_words_at_once() -> None:
    """The provider lets nobody speak into the answer, so it has been said when there are words; if not, the next one
    is queued behind it.
    """
    async with relay(interruptible=False) as call:
        call.model.answers["tell me"] = Answer(_SENTENCES, sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(4)
        asked_ms = call.house.clock.now_ms()
        await call.streams.heard(CALL_ID, "two")
        await call.until_said("You said two.")
        assert call.house.clock.now_ms() - asked_ms < 500
        assert await call.said(1) == (" ".join(_SENTENCES), "completed")


@pytest.mark.parametrize("interruptible", [True, False])
async def test_a_socket_that_drops_once_all_was_heard(interruptible: bool) -> None:
    async with relay(interruptible=interruptible) as call:
        call.model.answers["tell me"] = Answer(_SENTENCES, sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(4)
        await asyncio.sleep(8)
        await call.move_media.lost(CALL_ID, "connection-1")
        await call.connect("connection-2")
        await call.streams.heard(CALL_ID, "two")
        await call.until_said("You said two.")
        assert call.channel.words[1:] == [*_SENTENCES, "You said two."]


@pytest.mark.parametrize("ends_by", ["words", "hang_up", "nothing"])
async def test_a_socket_that_drops_and_does_not_come_back(ends_by: str) -> None:
    """Nothing counts as said that nobody can have heard."""
    async with relay() as call:
        call.model.answers["tell me"] = Answer(_SENTENCES, sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(4)
        await asyncio.sleep(3)
        await call.move_media.lost(CALL_ID, "connection-1")
        call.channel.gone = {"connection-1"}
        await asyncio.sleep(1)
        match ends_by:
            case "words":
                await call.streams.heard(CALL_ID, "hello?")
            case "hang_up":
                await call.house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
        assert await call.said(1) == (_SENTENCES[0], "interrupted")


@pytest.mark.parametrize("at", range(24))
async def test_a_worker_dies_while_a_socket_is_replaced(at: int) -> None:
    async with relay() as call:
        Mortal(call, "speak 1", at, after=True)
        call.model.answers["tell me"] = Answer(_SENTENCES, sentence_ms=100)
        await call.streams.heard(CALL_ID, "tell me")
        await call.words(4)
        await asyncio.sleep(3)
        await call.move_media.lost(CALL_ID, "connection-1")
        call.channel.gone = {"connection-1"}
        await asyncio.sleep(0.5)
        known = len(call.channel.words)
        await call.connect("connection-2")
        await call.words(known + 2)
        assert await call.said(1) == (" ".join(_SENTENCES), "completed")
        again = call.channel.words[known:]
        assert again[-1] == _SENTENCES[2]
        assert [text for text in _SENTENCES if text in again] == list(_SENTENCES[-len(set(again)) :])
        assert len(again) <= 4


async def test_a_turn_that_begins_without_a_socket() -> None:
    async with relay() as call:
        await call.house.live_calls.detach(CALL_ID, connection_id="connection-1")
        await call.streams.heard(CALL_ID, "one")
        await asyncio.sleep(2)
        await call.streams.heard(CALL_ID, "two")
        await asyncio.sleep(2)
        assert call.channel.words == [GREETING, "You said one."]
        assert await call.rescue(turn_request(2)) == "unheard"
        await call.connect("connection-2")
        await call.words(3)
        assert call.channel.words[-1] == "You said two."


class Sessions:
    """A provider's voice over the sockets of a call, each of which forgets what it had not said when it breaks.
    `spoken`: the sentences that were said to their ends.
    """

    def __init__(self, call: TextCall, rng: random.Random) -> None:
        self.spoken: list[str] = []
        self._call = call
        self._rng = rng
        self._number = 1
        self._from = 0
        self._tasks = [asyncio.create_task(self._speak()), asyncio.create_task(self._break())]

    async def _speak(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            if self._from < len(self._call.channel.said):
                session, place = self._number, self._from
                text, _ = self._call.channel.said[place]
                await asyncio.sleep(len(text) * _MS_PER_LETTER / 1000)
                if session == self._number:
                    self.spoken.append(text)
                    self._from = place + 1

    async def _break(self) -> None:
        while True:
            await asyncio.sleep(self._rng.uniform(0.5, 8))
            broken = f"connection-{self._number}"
            self._call.channel.gone.add(broken)
            self._number, self._from = self._number + 1, len(self._call.channel.said)
            await self._call.move_media.lost(CALL_ID, broken)
            await asyncio.sleep(self._rng.uniform(0.1, 3))
            await self._call.connect(f"connection-{self._number}")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.mark.parametrize("interruptible", [True, False])
@pytest.mark.parametrize("mortal", [False, True], ids=["", "workers die"])
@pytest.mark.parametrize("seed", range(12))
async def test_no_sentence_is_lost(seed: int, mortal: bool, interruptible: bool) -> None:
    rng = random.Random(seed)
    async with _begun(Line.TWILIO_RELAY, rng, mortal=mortal) as call:
        call.house.change_agent(interruptible=interruptible)
        await call.connect()
        sessions = Sessions(call, rng)
        try:
            for turn in range(1, 6):
                call.model.answers[f"words {turn}"] = Answer(_SENTENCES, sentence_ms=rng.choice([50, 300, 1500]))
                sessions.spoken.clear()
                await call.streams.heard(CALL_ID, f"words {turn}", event_id=str(turn))
                assert await call.said(turn) == (" ".join(_SENTENCES), "completed")
                assert set(_SENTENCES) <= set(sessions.spoken)
        finally:
            await sessions.close()
        await call.hang_up()
