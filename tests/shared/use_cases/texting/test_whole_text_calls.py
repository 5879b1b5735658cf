"""Whole calls on lines that carry text, with callers of every kind: each comes to its end, and is told truly."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from shared.domain.call import EndReason
from shared.domain.errors import StoreError
from shared.domain.fillers import without_fillers
from shared.domain.telephony.lines import Line
from shared.domain.telephony.text_turns import Next, TextReply
from tests.fakes.call import CALL_ID, NORA
from tests.shared.use_cases.texting.text_call import Answer, TextCall, text_call


class Voice:
    """The provider's voice at the end of the socket: speaks what it is given, at its pace, and can be broken into.

    `heard` is what it said of the answer that it is saying, or said last.
    """

    def __init__(self, call: TextCall, ms_per_letter: float) -> None:
        self.heard = ""
        self.is_speaking = False
        self._call = call
        self._ms_per_letter = ms_per_letter
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._said = 0
        self._begins = True
        self._is_broken = False
        self.task = asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        while True:
            await asyncio.sleep(0.005)
            said = self._call.channel.said
            while self._said < len(said):
                text, is_last = said[self._said]
                self._said += 1
                if self._begins and text:
                    self.heard, self._begins, self._is_broken = "", False, False
                if text and not self._is_broken:
                    await self._say(text)
                if is_last:
                    self._begins = True

    async def _say(self, text: str) -> None:
        self.is_speaking = True
        self.heard = f"{self.heard} ".lstrip()
        for letter in text:
            await asyncio.sleep(self._ms_per_letter / 1000)
            if self._is_broken:
                break
            self.heard += letter
        self.is_speaking = False

    def break_into(self) -> str:
        """Stop, and say nothing more of this answer; gives what was said until now."""
        self._is_broken = True
        return self.heard


def _answer(rng: random.Random) -> Answer:
    sentences = tuple(f"This is sentence number {number}." for number in range(rng.choice([1, 1, 2, 4])))
    return Answer(sentences, sentence_ms=rng.choice([50, 300, 300, 2000]), fails=rng.random() < 0.1)


@asynccontextmanager
async def _begun(line: Line, rng: random.Random, *, mortal: bool) -> AsyncIterator[TextCall]:
    async with text_call(line, silence_limit_s=600, greeting=rng.choice(["", "Hello, this is Nora."])) as call:
        for turn in range(50):
            call.model.answers[f"words {turn}"] = _answer(rng)
        killing = asyncio.create_task(_kill(call, rng)) if mortal else None
        try:
            yield call
        finally:
            if killing is not None:
                killing.cancel()
                await asyncio.gather(killing, return_exceptions=True)


async def _kill(call: TextCall, rng: random.Random) -> None:
    while True:
        await asyncio.sleep(rng.uniform(0.2, 3))
        run = rng.choice(list(call.workers.values())).run
        if run is not None and not run.done():
            run.cancel()


async def _outage(call: TextCall, rng: random.Random) -> None:
    house = call.house
    await asyncio.sleep(rng.uniform(1, 15))
    house.pipes.down = house.live_calls.down = True
    await asyncio.sleep(rng.uniform(0.5, 5))
    house.pipes.down = house.live_calls.down = False


async def _talk(call: TextCall, rng: random.Random) -> dict[int, str]:
    """Over the socket; gives what was heard of the answers that were broken into."""
    await call.connect()
    voice = Voice(call, rng.uniform(45, 90))
    broken: dict[int, str] = {}
    try:
        for turn in range(1, rng.choice([2, 5, 9])):
            await asyncio.sleep(rng.choice([0.05, 1, 3, 8]))
            if voice.is_speaking:
                broken[turn - 1] = voice.break_into()
                await call.streams.interrupted(CALL_ID, broken[turn - 1], event_id=f"{turn}-interrupted")
                await asyncio.sleep(rng.choice([0.1, 1]))
            for _ in range(rng.choice([1, 1, 2])):
                await call.streams.heard(CALL_ID, f"words {turn}", event_id=f"{turn}-heard")
        await asyncio.sleep(rng.choice([0, 0.1, 3, 30]))
    finally:
        voice.task.cancel()
        await asyncio.gather(voice.task, return_exceptions=True)
    return broken


@pytest.mark.parametrize("mortal", [False, True], ids=["", "workers die"])
@pytest.mark.parametrize("seed", range(15))
async def test_a_call_over_a_socket(seed: int, mortal: bool) -> None:
    rng = random.Random(seed)
    async with _begun(Line.TWILIO_RELAY, rng, mortal=mortal) as call:
        broken = await _talk(call, rng)
        turns = call.turns
        results = await call.hang_up()
        assert results[f"hear {call.turns}"] == "caller_hung_up"
        journals = [await call.journal(turn) for turn in range(turns)]
        assert [journal.get("heard") for journal in journals[1:]] == [f"words {turn}" for turn in range(1, turns)]
        assert all("outcome" in journal for journal in journals)
        if not mortal:  # a sentence that is said again is heard twice
            _assert_told(call, journals, broken)


def _assert_told(call: TextCall, journals: list[dict[str, str]], broken: dict[int, str]) -> None:
    """What was broken into stands in the journal as it was heard, and so the model was told."""
    for turn, heard in broken.items():
        # The voice may still have been busy with the answer before.
        known = [journal["said"].split() for journal in journals[max(0, turn - 1) : turn + 1]]
        assert without_fillers(NORA, heard.strip(), "").split() in known
    for asked in call.model.asked:
        turn = int(asked[-1].split()[1])
        history = [text for before in range(turn - 1) for text in _exchange(journals[before])]
        assert asked[1 : 1 + len(history)] == history
        # That the answer before was broken into may be told only after the words that were said into it.
        newest, last = asked[1 + len(history) : -1], _exchange(journals[turn - 1])
        assert [text.startswith(end) for text, end in zip(newest, last, strict=False)] == [True] * len(last)


def _exchange(journal: dict[str, str]) -> list[str]:
    return [text for text in (journal.get("heard", ""), journal.get("said", "")) if text]


@pytest.mark.parametrize("trouble", ["", "workers die", "redis is away"])
@pytest.mark.parametrize("seed", range(15))
async def test_a_call_by_requests(seed: int, trouble: str) -> None:
    rng = random.Random(seed)
    async with _begun(Line.CONNECT, rng, mortal=trouble == "workers die") as call:
        away = asyncio.create_task(_outage(call, rng)) if trouble == "redis is away" else None
        await _ask(call, 0, None, rng)
        turns = rng.choice([2, 5, 9])
        for turn in range(1, turns):
            await asyncio.sleep(rng.choice([0.05, 1, 8]))
            if rng.random() < 0.2:
                await _request(call, turn, "", 0, 2.0)
            said = await _ask(call, turn, f"words {turn}", rng)
            journal = await call.journal(turn)
            assert journal["heard"] == f"words {turn}"
            assert (await call.said(turn))[0] == said
        if away is not None:
            await away
        results = await call.hang_up(EndReason.CALLER_HUNG_UP)
        assert results[f"hear {turns}"] == "caller_hung_up"
        journals = [await call.journal(turn) for turn in range(turns)]
        assert {journal["outcome"] for journal in journals} <= {"completed", "failed", "unheard"}
        _assert_told(call, journals, {})


async def _ask(call: TextCall, turn: int, words: str | None, rng: random.Random) -> str:
    """As a provider does that waits for some seconds, and repeats what failed; gives all that it was given to say."""
    said: list[str] = []
    told = 0
    for attempt in range(30):
        reply = await _request(call, turn, words if attempt == 0 else None, told, rng.choice([0.5, 2.0, 6.0]))
        if rng.random() < 0.2:
            reply = await _request(call, turn, words, told, 0.5)  # its answer was lost
        said += reply.sentences if reply.told > told else ()
        told = reply.told
        if reply.next is not Next.COME_AGAIN:
            assert reply.next is Next.LISTEN
            return " ".join(said)
    raise AssertionError("the answer never ends")


async def _request(call: TextCall, turn: int, words: str | None, after: int, within_s: float) -> TextReply:
    for _ in range(100):
        with suppress(StoreError):
            return await call.ask(turn, words, after=after, within_s=within_s)
        await asyncio.sleep(0.3)
    raise AssertionError("the stores are away for ever")
