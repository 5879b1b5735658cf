"""Listening, thinking and speaking together, as the orchestration starts them: every call comes to its end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from shared.domain import pipe_names
from shared.domain.audio import samples_of
from shared.domain.call import EndReason
from shared.domain.errors import LanguageModelError, SpeechToTextError, StoreError
from shared.domain.steps import TurnRequest
from shared.ports.language_model import PLAIN, Message, ToolCall, Usage, Wish
from shared.use_cases.calls.answer_call import AnswerCall
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, TENANT_ID, House, silence, voice
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.telephony import FakeMediaChannel, FakeOrchestrations
from tests.shared.use_cases.hearing.caller import Caller, hearing
from tests.shared.use_cases.speaking.line import FakePrepared, speaker

_WORDS = "where is my big red parcel please tell me it has not come home to us yet"


class Hearing:
    """Fills the ports `SpeechToText` and `Transcription`: a word for each 250 ms of loud sound."""

    language = ""
    takes_mulaw = False

    def __init__(self, house: House, rng: random.Random, pcm: bytes = b"") -> None:
        self.house, self.rng, self.pcm = house, rng, pcm

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> Hearing:
        return Hearing(self.house, self.rng)

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
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
        self, messages: Sequence[Message], *, call_id: str, wish: Wish = PLAIN
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
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
    """Fills the ports `MediaChannels` and `MediaChannel` for one turn, and notes what it sends, and when."""

    def __init__(self, house: House, sends: list[tuple[float, int, str]], turn: int) -> None:
        self.house, self.sends, self.turn = house, sends, turn

    def open(self, *_: str) -> OwnChannels:
        return self

    async def play(self, pcm: bytes, mark: str | None) -> None:
        self.sends.append((self.house.clock.now_ms(), self.turn, "play"))
        await self.house.channel.play(pcm, mark)

    async def clear(self) -> None:
        self.sends.append((self.house.clock.now_ms(), self.turn, "clear"))
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
        self.sends: list[tuple[float, int, str]] = []

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

    def _start(self, name: str, deed: Callable[[], Awaitable[str | None]]) -> None:
        async def step() -> str:
            while True:
                task = asyncio.ensure_future(deed())
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


class Talker(Caller):
    """Makes sounds and pauses, presses keys; what does not get through is lost."""

    async def frame(self, payload: bytes, event_id: str) -> None:
        with suppress(StoreError):
            await super().frame(payload, event_id)

    async def talk(self, rng: random.Random, for_ms: int) -> None:
        while for_ms > 0:
            part_ms = rng.choice([60, 120, 300, 300, 900, 2000, 4000])
            await self.sound(voice(part_ms) if rng.random() < 0.4 else silence(part_ms))
            with suppress(StoreError):
                if rng.random() < 0.03:
                    await self.house.pipes.append(pipe_names.frames(CALL_ID), {"k": rng.choice("12#")})
            for_ms -= part_ms


async def _outage(house: House, rng: random.Random) -> None:
    """Redis is away for some seconds."""
    await asyncio.sleep(rng.uniform(1, 15))
    house.pipes.down = house.live_calls.down = True
    await asyncio.sleep(rng.uniform(0.5, 5))
    house.pipes.down = house.live_calls.down = False


async def _begun(rng: random.Random, *, mortal: bool) -> tuple[House, Engine]:
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
    return house, engine


@pytest.mark.parametrize("trouble", ["", "workers die", "redis is away"])
@pytest.mark.parametrize("seed", range(5))
async def test_a_call(seed: int, trouble: str) -> None:
    rng = random.Random(seed)
    house, engine = await _begun(rng, mortal=trouble == "workers die")
    before = asyncio.all_tasks() - set(engine.steps)
    away = asyncio.create_task(_outage(house, rng)) if trouble == "redis is away" else None
    await Talker(house).talk(rng, rng.choice([500, 3000, 20_000, 60_000]))
    if away is not None:
        await away
    await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
    async with asyncio.timeout(15):
        while pending := [step for step in engine.steps if not step.done()]:
            await asyncio.wait(pending)
    results = {step.get_name(): step.result() for step in engine.steps}
    assert results[f"hear {engine.turns}"] == "caller_hung_up"
    journals = [await house.live_calls.journal(CALL_ID, turn) for turn in range(engine.turns + 1)]
    assert all("outcome" in journal for journal in journals)
    _assert_history(engine, journals)
    if not trouble:
        turns = [turn for _, turn, _ in engine.sends]
        assert turns == sorted(turns), "no turn speaks into the next one, nor clears its line"
        await _assert_no_dead_air(house, engine, journals)
    assert engine.model.open == 0
    await house.channel.finish()
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task(), *([away] if away else [])}
    assert not [task for task in left if not task.done()]


def _assert_history(engine: Engine, journals: list[dict[str, str]]) -> None:
    """The model is told all that the caller said before."""
    heard = [journal["heard"] for journal in journals if journal.get("heard")]
    for asked in engine.model.asked:
        said = [text for text in asked[1:-1] if text in heard]
        if len(said) < 15:
            assert said == heard[: len(said)]


async def _assert_no_dead_air(house: House, engine: Engine, journals: list[dict[str, str]]) -> None:
    """Something sounds within the agent's limit, unless the caller has taken the turn."""
    for turn, journal in enumerate(journals[:-1]):
        control = await house.pipe(turn, pipe_names.CONTROL)
        was_taken = bool(control) and control[-1]["event"] == "stop"
        if "turn_ended_ms" in journal and not was_taken and house.agent.interruptible:
            over_ms = float(journal["turn_ended_ms"])
            sounds_ms = [at_ms for at_ms, of, kind in engine.sends if of >= turn and kind == "play"]
            first_ms = next((at_ms for at_ms in sounds_ms if at_ms >= over_ms), house.clock.now_ms())
            assert first_ms - over_ms < 11_000, "the limit, and a hold"
