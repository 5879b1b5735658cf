"""A call on a line that carries text, its steps run as the orchestration runs them, also by workers that die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NoReturn

from shared.domain.call import EndReason
from shared.domain.errors import LanguageModelError, MediaError, StoreError
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver
from shared.domain.steps import TurnRequest, WrapUpRequest
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.text_turns import TextReply
from shared.ports.language_model import PLAIN, Message, ToolCall, Usage, Wish
from shared.use_cases.calls.answer_call import AnswerCall
from shared.use_cases.calls.keep_records import KeepRecords
from shared.use_cases.calls.move_media import MoveMedia
from shared.use_cases.texting.hear_words import HearWords
from shared.use_cases.texting.rescue_words import RescueWords
from shared.use_cases.texting.speak_words import SpeakWords
from shared.use_cases.texting.take_text_turn import TakeTextTurn
from shared.use_cases.texting.text_streams import TextStreams
from shared.use_cases.texting.transfer_orders import TransferOrders
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House
from tests.fakes.telephony import FakeOrchestrations
from tests.fakes.text_channel import FakeTextChannel

GREETING = "Hello, this is Nora."
_REQUEST_S = 6.0


@dataclass
class Answer:
    """What the model says to some words: its sentences, each `sentence_ms` after the one before."""

    sentences: tuple[str, ...]
    sentence_ms: float = 300.0
    fails: bool = False


@dataclass
class Model:
    """Fills the port `LanguageModel`; says "You said …." to whatever it has no answer for."""

    house: House
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, wish: Wish = PLAIN
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        self.asked.append([message.text for message in messages])
        words = messages[-1].text
        answer = self.answers.get(words, Answer((f"You said {words}.",)))
        for sentence in answer.sentences:
            await self.house.clock.sleep_ms(answer.sentence_ms)
            yield f"{sentence} "
        if answer.fails:
            raise LanguageModelError("llm_away", "away", retryable=True)


class Died(BaseException):
    """The worker is gone: nothing may catch it and go on."""


_run: ContextVar[tuple[str, int]] = ContextVar("run", default=("", 0))
"""Which step is running here, and the how manieth time."""


class Mortal:
    """Kills the worker that runs a step for the first time at its `at`th write or sending, before or after it takes
    effect. `done` counts those of that run.
    """

    def __init__(self, call: TextCall, step: str, at: int, *, after: bool) -> None:
        self.step, self.at, self.after, self.done = step, at, after, 0
        house = call.house
        for owner, names in (
            (house.pipes, ("append",)),
            (house.live_calls, ("note", "note_once", "count", "end")),
            (call.channel, ("say",)),
            (call, ("speech_began", "turn_over", "turn_answered")),
        ):
            for name in names:
                setattr(owner, name, self._mortal(getattr(owner, name)))

    def _mortal(self, honest: Callable[..., Any]) -> Callable[..., Any]:
        async def operation(*arguments: Any, **options: Any) -> Any:
            if _run.get() != (self.step, 1):
                return await honest(*arguments, **options)
            number, self.done = self.done, self.done + 1
            if number > self.at or (number == self.at and not self.after):
                _die()
            result = await honest(*arguments, **options)
            if number == self.at:
                _die()
            return result

        return operation


def _die() -> NoReturn:
    """In a task beside the worker's own, which nobody may wait for any more."""
    task = asyncio.current_task()
    assert task is not None
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    raise Died


class Worker:
    """Runs one step; may be killed, and then another one runs the step again."""

    def __init__(self, name: str, deed: Callable[[], Awaitable[str | None]]) -> None:
        self.name = name
        self.runs = 0
        self._deed = deed
        self.run: asyncio.Task[str | None] | None = None
        self.task = asyncio.create_task(self._work(), name=name)

    async def _work(self) -> str:
        while True:
            self.runs += 1
            _run.set((self.name, self.runs))
            self.run = asyncio.ensure_future(self._deed())
            try:
                await asyncio.wait({self.run})
                return self.run.result() or ""
            except (Died, asyncio.CancelledError):
                if not self.run.done():  # it is this worker's own end
                    self.run.cancel()
                    raise
                await asyncio.sleep(0.05)
            except (StoreError, MediaError):
                await asyncio.sleep(0.2)


class TextCall(FakeOrchestrations):
    """Fills the port `Orchestrations` too: turn n+1 begins as soon as speech has begun in turn n."""

    def __init__(self, line: Line, limits: CallLimits | None = None) -> None:
        super().__init__()
        self.house = House(provider=Provider(line.provider))
        self.house.line = line
        self.channel = FakeTextChannel()
        self.model = Model(self.house)
        self.workers: dict[str, Worker] = {}
        house = self.house
        self.handed_over: list[HandOver] = []
        self.hear = HearWords(
            pipes=house.pipes,
            live_calls=house.live_calls,
            directory=house.directory,
            clock=house.clock,
            limits=limits or CallLimits(),
            hand_over=self._hand_over,
        )
        self.think = Think(house.pipes, house.live_calls, house.directory, self.model, house.clock)
        self.speak = SpeakWords(house.pipes, house.live_calls, house.directory, self.channel, house.clock)
        self.rescue = RescueWords(house.pipes, house.live_calls, house.directory, self.channel, house.clock)
        self.orders = TransferOrders(house.pipes, house.live_calls, self.channel)
        self.move_media = MoveMedia(house.call_store, house.live_calls, house.directory, house.end_call)
        self.streams = TextStreams(house.pipes, house.attach_media, house.end_call, house.clock)
        self.take = TakeTextTurn(
            pipes=house.pipes,
            live_calls=house.live_calls,
            directory=house.directory,
            call_store=house.call_store,
            orders=self.orders,
            allow_transfer=house.allow_transfer,
            end_call=house.end_call,
            clock=house.clock,
        )

    @property
    def turns(self) -> int:
        return max(int(name.split()[1]) for name in self.workers)

    async def ring(self) -> None:
        """The call is known and runs; its line is not there yet."""
        await self.house.ring()
        house = self.house
        answer_call = AnswerCall(house.directory, house.call_store, house.live_calls, house.pipes, house.clock)
        await answer_call._prepare_greeting(CALL_ID, house.agent)
        self.begin(1)

    async def connect(self, connection_id: str = "connection-1") -> None:
        """The socket is there."""
        ticket = await self.house.live_calls.issue_ticket(CALL_ID)
        await self.streams.started(ticket, provider_call_id=CALL_SID, hub="relays", connection_id=connection_id)

    def begin(self, turn: int) -> None:
        request = TurnRequest(TENANT_ID, CALL_ID, turn)
        self._start(f"hear {turn}", lambda: self.hear(request, self))
        self._start(f"think {turn}", lambda: self.think(request))
        self._start(f"speak {turn}", lambda: self.speak(request, self._sounds(turn)))
        if turn == 1:
            self._start("speak 0", lambda: self.speak(TurnRequest(TENANT_ID, CALL_ID, 0), self._sounds(0)))

    def _sounds(self, turn: int) -> Callable[[], Awaitable[None]]:
        async def tell() -> None:
            await self.turn_answered(CALL_ID, turn)

        return tell

    def _start(self, name: str, deed: Callable[[], Awaitable[str | None]]) -> None:
        self.workers[name] = Worker(name, deed)

    async def _hand_over(self, call_id: str, rule: HandOver) -> None:
        self.handed_over.append(rule)

    async def speech_began(self, call_id: str, turn: int) -> None:
        if (call_id, turn) not in self.began:
            self.began.append((call_id, turn))
            self.begin(turn + 1)

    async def ask(self, turn: int, words: str | None, *, after: int = 0, within_s: float = _REQUEST_S) -> TextReply:
        """What a provider does that asks by requests."""
        return await self.take(CALL_ID, turn, words, after=after, within_s=within_s)

    async def journal(self, turn: int) -> dict[str, str]:
        return await self.house.live_calls.journal(CALL_ID, turn)

    async def said(self, turn: int) -> tuple[str, str]:
        """What was said in a turn that is over, and how it ended."""
        await self.until(lambda: self._has_outcome(turn))
        journal = await self.journal(turn)
        return journal.get("said", ""), journal.get("outcome", "")

    async def until(self, holds: Callable[[], Awaitable[Any]], within_s: float = 60.0) -> None:
        async with asyncio.timeout(within_s):
            while not await holds():
                await asyncio.sleep(0.01)

    async def _has_outcome(self, turn: int) -> bool:
        return "outcome" in await self.journal(turn)

    async def words(self, number: int) -> None:
        """Until so many sentences have gone out over the socket."""

        async def are_out() -> bool:
            return len(self.channel.words) >= number

        await self.until(are_out)

    async def until_said(self, text: str) -> None:
        """Until this sentence has gone out over the socket."""

        async def is_out() -> bool:
            return text in self.channel.words

        await self.until(is_out)

    async def hang_up(self, reason: EndReason = EndReason.CALLER_HUNG_UP) -> dict[str, str]:
        await self.house.end_call.note(CALL_ID, reason)
        return await self.ended()

    async def ended(self, within_s: float = 15.0) -> dict[str, str]:
        """The steps' results, once all have ended."""
        async with asyncio.timeout(within_s):
            while pending := [worker.task for worker in self.workers.values() if not worker.task.done()]:
                await asyncio.wait(pending)
        return {name: worker.task.result() for name, worker in self.workers.items()}

    async def record(self) -> None:
        """What the orchestration does with each turn, and at the end of the call."""
        house = self.house
        keep = KeepRecords(
            call_store=house.call_store,
            live_calls=house.live_calls,
            pipes=house.pipes,
            files=house.files,
            channels=house.channels,
            meter=house.meter,
            clock=house.clock,
        )
        for turn in range(1, self.turns + 1):
            await keep.of_turn(TurnRequest(TENANT_ID, CALL_ID, turn, greet=turn == 1))
        live = await house.live_calls.get(CALL_ID)
        assert live is not None
        ended = WrapUpRequest(TENANT_ID, CALL_ID, self.turns, live.end_reason)
        await keep.of_call(ended)
        await keep.close(ended)

    async def close(self) -> None:
        for worker in self.workers.values():
            worker.task.cancel()
        await asyncio.gather(*(worker.task for worker in self.workers.values()), return_exceptions=True)


@asynccontextmanager
async def text_call(line: Line, limits: CallLimits | None = None, **changes: object) -> AsyncIterator[TextCall]:
    """A call that runs; its line is not there yet."""
    call = TextCall(line, limits)
    call.house.change_agent(**changes)
    await call.ring()
    try:
        yield call
    finally:
        await call.close()


@asynccontextmanager
async def relay(limits: CallLimits | None = None, **changes: object) -> AsyncIterator[TextCall]:
    """A call whose socket is there and whose greeting has been said."""
    async with text_call(Line.TWILIO_RELAY, limits, **changes) as call:
        await call.connect()
        await call.words(1)
        yield call


def by_requests(limits: CallLimits | None = None, **changes: object) -> Any:
    return text_call(Line.TWILIO_GATHER, limits, **changes)
