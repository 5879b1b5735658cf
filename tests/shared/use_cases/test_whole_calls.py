"""Listening, thinking and speaking together, as the orchestration starts them: every call comes to its end."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from collections.abc import AsyncGenerator, Sequence

import numpy as np
import pytest

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS, samples_of
from shared.domain.call import EndReason
from shared.domain.errors import LanguageModelError, SpeechToTextError, StoreError
from shared.domain.steps import TurnRequest
from shared.ports.language_model import Message
from shared.use_cases.calls.answer_call import AnswerCall
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, TENANT_ID, House, silence, voice
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.telephony import FakeMediaChannel, FakeOrchestrations
from tests.shared.use_cases.hearing.caller import Caller, hearing
from tests.shared.use_cases.speaking.line import FakePrepared, speaker

OUT = __import__("os").environ.get("OUT")
_WORDS = "where is my big red parcel please tell me it has not come home to us yet"


class Hearing:
    """Fills the ports `SpeechToText` and `Transcription`: a word for each 250 ms of loud sound."""

    def __init__(self, house: House, rng: random.Random, pcm: bytes = b"") -> None:
        self.house, self.rng, self.pcm = house, rng, pcm

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> Hearing:
        return Hearing(self.house, self.rng)

    def feed(self, pcm: bytes) -> None:
        self.pcm += pcm

    async def words(self) -> str:
        loud_ms = int((np.abs(samples_of(self.pcm).astype(float)) > 300).sum()) // 16
        await self.house.clock.sleep_ms(self.rng.choice([20, 150, 150, 600, 2500]))
        if self.rng.random() < 0.05:
            raise SpeechToTextError("stt_away", "away", retryable=True)
        if loud_ms < 400:
            return self.rng.choice(["", "Yeah.", "Yes."])
        words = _WORDS.split()[: max(1, loud_ms // 250)]
        return " ".join(words) + "?"

    def cut(self) -> None:
        """All is heard again."""

    async def close(self) -> None:
        """Nothing is held."""

    async def ping(self) -> None:
        """Always ready."""


class Model:
    """Fills the port `LanguageModel`."""

    def __init__(self, house: House, rng: random.Random) -> None:
        self.house, self.rng, self.asked = house, rng, list[list[str]]()
        self.open = 0

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[str, None]:
        self.asked.append([message.text for message in messages])
        self.open += 1
        try:
            await self.house.clock.sleep_ms(self.rng.choice([100, 200, 200, 3000, 9500]))
            if self.rng.random() < 0.1:
                raise LanguageModelError("llm_away", "away", retryable=True)
            for number in range(self.rng.choice([1, 2, 8])):
                for word in ("This", " is", f" sentence {number}", " of", " mine", "."):
                    await self.house.clock.sleep_ms(20)
                    yield word
        finally:
            self.open -= 1


class OwnChannels:
    """Notes which turn sends what, and when."""

    def __init__(self, house, sends, turn):  # type: ignore[no-untyped-def]
        self.house, self.sends, self.turn = house, sends, turn

    def open(self, *_: str) -> OwnChannels:
        return self

    async def play(self, pcm: bytes, mark: str | None) -> None:
        self.sends.append((self.house.clock.now_ms(), self.turn, "play", len(pcm) // 32))
        await self.house.channel.play(pcm, mark)

    async def clear(self) -> None:
        self.sends.append((self.house.clock.now_ms(), self.turn, "clear", 0))
        await self.house.channel.clear()

    async def show(self, message: object) -> None:
        """Nobody looks."""


class Engine(FakeOrchestrations):
    """Starts turns as the orchestration does, and runs steps again that die."""

    def __init__(self, house: House, rng: random.Random, *, mortal: bool) -> None:
        super().__init__()
        self.house, self.rng, self.mortal = house, rng, mortal
        self.model = Model(house, rng)
        self.tts = FakeTextToSpeech(house.clock, ms_per_character=40)
        self.steps: list[asyncio.Task[str]] = []
        self.turns = 0
        self.sends: list[tuple[float, int, str, int]] = []

    def begin(self, turn: int) -> None:
        self.turns = max(self.turns, turn)
        house = self.house
        hear = hearing(house, Hearing(house, self.rng))
        think = Think(house.pipes, house.live_calls, house.directory, self.model, house.clock)
        speak = speaker(house, self.tts, FakePrepared(house.clock, [None] * 99))
        speak = replace(speak, channels=OwnChannels(house, self.sends, turn))
        greet = replace(speak, channels=OwnChannels(house, self.sends, 0))
        request = TurnRequest(TENANT_ID, CALL_ID, turn)
        self._start(f"hear {turn}", lambda: hear(request, self))
        self._start(f"think {turn}", lambda: think(request))
        self._start(f"speak {turn}", lambda: speak(request))
        if turn == 1:
            self._start("speak 0", lambda: greet(TurnRequest(TENANT_ID, CALL_ID, 0)))

    def _start(self, name, deed):  # type: ignore[no-untyped-def]
        async def step() -> str:
            while True:
                task = asyncio.create_task(deed(), name=name)
                if self.mortal and self.rng.random() < 0.3:
                    await asyncio.wait({task}, timeout=self.rng.uniform(0, 6))
                    if not task.done():
                        task.cancel()
                        await asyncio.gather(task, return_exceptions=True)
                        await asyncio.sleep(self.rng.uniform(0.05, 2))
                        continue
                try:
                    return await task or ""
                except StoreError:
                    await asyncio.sleep(0.5)

        self.steps.append(asyncio.create_task(step(), name=name))

    async def speech_began(self, call_id: str, turn: int) -> None:
        if (call_id, turn) not in self.began:
            self.began.append((call_id, turn))
            self.begin(turn + 1)


async def _talk(house: House, caller: Caller, rng: random.Random, for_ms: int) -> None:
    left_ms = for_ms
    while left_ms > 0:
        part_ms = rng.choice([60, 120, 300, 300, 900, 2000, 4000])
        loud = rng.random() < 0.4
        await caller.sound(voice(part_ms) if loud else silence(part_ms))
        if rng.random() < 0.03:
            await house.pipes.append(pipe_names.frames(CALL_ID), {"k": rng.choice("12#")})
        left_ms -= part_ms


@pytest.mark.parametrize("mortal", [False, True])
@pytest.mark.parametrize("seed", range(60, 360))
async def test_a_call(seed: int, mortal: bool) -> None:
    rng = random.Random(seed)
    house = House()
    greeting = rng.choice(["", "Hello, this is Nora."])
    house.change_agent(interruptible=rng.random() < 0.75, greeting=greeting, silence_limit_s=600)
    marks = rng.random() < 0.7
    house.channel = house.channels.channel = FakeMediaChannel(house.clock, house.pipes, CALL_ID, marks=marks)
    await house.connect()
    answer_call = AnswerCall(house.directory, house.call_store, house.live_calls, house.pipes, house.clock)
    await answer_call._prepare_greeting(CALL_ID, house.agent)
    engine = Engine(house, rng, mortal=mortal)
    engine.begin(1)
    caller = Caller(house)
    honest = caller.frame

    async def frame(payload: bytes, event_id: str) -> None:
        try:
            await honest(payload, event_id)
        except StoreError:
            pass

    caller.frame = frame  # type: ignore[method-assign]
    before = asyncio.all_tasks() - set(engine.steps)

    async def outage() -> None:
        await asyncio.sleep(rng.uniform(1, 15))
        house.pipes.down = house.live_calls.down = True
        await asyncio.sleep(rng.uniform(0.5, 5))
        house.pipes.down = house.live_calls.down = False

    out = asyncio.create_task(outage()) if OUT else None
    await _talk(house, caller, rng, rng.choice([500, 3000, 20_000, 60_000]))
    if out:
        await out
        before |= {out}
    await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
    ended_ms = house.clock.now_ms()
    async with asyncio.timeout(40):
        while pending := [step for step in engine.steps if not step.done()]:
            await asyncio.wait(pending)
    results = {step.get_name(): step.result() for step in engine.steps}
    assert house.clock.now_ms() - ended_ms < 15_000
    assert engine.model.open == 0
    assert results[f"hear {engine.turns}"] == "caller_hung_up"
    plays = [turn for _, turn, kind, _ in engine.sends if kind == "play"]
    if not mortal:
        assert plays == sorted(plays), plays
        kinds = [turn for _, turn, kind, _ in engine.sends]
        assert kinds == sorted(kinds), engine.sends
    journals = [await house.live_calls.journal(CALL_ID, n) for n in range(engine.turns + 1)]
    for n, journal in enumerate(journals):
        assert "outcome" in journal, (n, journal)
    for asked in engine.model.asked:
        asked = [text for text in asked if not text.startswith("I am sorry")]
        users = [text for text in asked[1:] if text.endswith("?") or text in ("Yeah.", "Yes.") or "keys" in text]
        heard = [journal["heard"] for journal in journals if journal.get("heard")]
        assert users[:-1] == heard[max(0, len(users) - 1 - 20) : len(users) - 1] or len(users) > 15, (users, heard)
    if not mortal:
        for n, journal in enumerate(journals[:-1]):
            if n and "turn_ended_ms" in journal and journal["outcome"] in ("completed", "failed", "unheard"):
                over_ms = float(journal["turn_ended_ms"])
                firsts = [at for at, turn, kind, _ in engine.sends if turn >= n and kind == "play" and at >= over_ms]
                late = (firsts[0] if firsts else ended_ms) - over_ms
                if late > 11_000 and house.agent.interruptible:
                    control = await house.pipe(n, pipe_names.CONTROL)
                    if control[-1:] == [] or control[-1]["event"] != "stop":
                        raise AssertionError((n, late, journal, control))
    await house.channel.finish()
    await asyncio.sleep(0)
    left = [t for t in asyncio.all_tasks() - before - {asyncio.current_task()} if not t.done()]
    assert not left, left
