"""One take's answer: the model's words, cut into sentences, on their way into the sentences pipe; and its tools."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from shared.domain import pipe_names, takes
from shared.domain.call import Agent
from shared.domain.errors import ContentRefused, LanguageModelError
from shared.domain.knowledge.citations import CITATIONS, citations_text
from shared.domain.ledger import Cost, Moment
from shared.domain.refusals import is_farewell, refusal_in
from shared.domain.sentences import SentenceSplitter
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.knowledge import Passage
from shared.ports.language_model import LanguageModel, Message, ToolCall, Usage, Wish
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.tool_box import ToolRequest
from shared.use_cases.thinking.deeds import Deed
from shared.use_cases.thinking.noted_rounds import NotedRounds, Round
from shared.use_cases.thinking.passages import cited
from shared.use_cases.thinking.told import Told
from shared.use_cases.thinking.tool_calling import ToolCalling

logger = logging.getLogger(__name__)

FAILED = "failed"
MOST_ROUNDS = 5
"""So often an answer may call tools before it has to be given in words."""


@dataclass(frozen=True, slots=True)
class AnswerPorts:
    """What answering needs from outside."""

    pipes: Pipes
    live_calls: LiveCalls
    language_model: LanguageModel
    clock: Clock
    note_usage: Callable[[str, Sequence[Usage]], None] | None = None
    """Told what was used, and for which tenant."""


class Answering:
    """Answers one take in the background until it is done or cancelled.

    Of a take that is only tentative nothing is noted in the journal, and no tool of it has an effect. `told` comes
    first: it may have to wait for the answer before to be over; None stands for a turn whose words nobody knows.
    `apology`: what is said where there is no answer, or no more of it. `leaving`, once it has ended: what is to be
    called when all of it has been heard, for `agent`, where that is known; `is_last`: the call ends with it.
    """

    def __init__(
        self,
        ports: AnswerPorts,
        request: TurnRequest,
        take: int,
        told: Callable[[], Awaitable[Told]] | None,
        *,
        apology: str,
        late_after_ms: int,
    ) -> None:
        self.take = take
        self.agent: Agent | None = None
        self.leaving: ToolRequest | None = None
        self.is_last = False
        self._ports = ports
        self._request = request
        self._told = told
        self._apology = apology
        self._late_after_ms = late_after_ms
        self._final = asyncio.Event()
        self._tokens = 0
        self._used: list[Usage] = []
        self._calls = 0
        self._number, self._kept = 0, 0
        self._noted = NotedRounds(ports.pipes, request, take)
        self._entries: dict[str, str | float] = {}
        self._rests_on: Sequence[Passage] = ()
        self._task = asyncio.create_task(self._run(), name=f"answer to take {take}")

    async def finish(self) -> None:
        """This take is final: note what happened, and wait until its answer is whole. Raises: StoreError."""
        self._final.set()
        await asyncio.gather(*(self._keep(name, value) for name, value in list(self._entries.items())))
        try:
            await self._task
        finally:
            await self._count(Cost.TOKENS)

    async def drop(self) -> None:
        """Nobody will hear this answer: the model is cancelled, what it cost is counted."""
        await self._cancel()
        await self._count(Cost.TOKENS_WITHDRAWN)

    async def _cancel(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _count(self, tokens: Cost) -> None:
        costs = {
            tokens: self._tokens,
            Cost.INPUT_TOKENS: sum(used.input_tokens for used in self._used),
            Cost.OUTPUT_TOKENS: sum(used.output_tokens for used in self._used),
            Cost.TOOL_CALLS: self._calls,
        }
        if self._ports.note_usage is not None:
            self._ports.note_usage(self._request.tenant_id, self._used)
        if any(costs.values()):
            counted = {cost: float(amount) for cost, amount in costs.items() if amount}
            await self._ports.live_calls.count(self._request.call_id, self._request.turn, counted)

    async def _run(self) -> None:
        """A step that runs again keeps this take's sentences that stand in the pipe, and adds what is missing."""
        for entry in await self._ports.pipes.read(self._pipe):
            if takes.place(entry.position)[0] == self.take:
                if b"text" not in entry.fields:
                    self.leaving = next((each.leaving for each in await self._noted.read() if each.leaving), None)
                    return
                self._kept += 1
                self.is_last = self.is_last or is_farewell(entry.fields[b"text"].decode())
        outcome, told = "", None
        try:
            if self._told is None:
                raise LanguageModelError("nothing_heard", "what the caller said is not known")
            told = await self._told()
            self.agent = told.agent
            await self._write_answer(told)
        except ContentRefused as error:
            logger.warning("call %s turn %d: %s", self._request.call_id, self._request.turn, error)
            assert told is not None
            await self._say_in_place(refusal_in(told.language, told.agent.language))
        except LanguageModelError as error:
            logger.warning("call %s turn %d: no answer: %s", self._request.call_id, self._request.turn, error)
            await self._say_in_place(self._apology)
            outcome = FAILED
        await self._append(takes.answer_end_position(self.take), {"event": "answer_end", "outcome": outcome})

    @property
    def _pipe(self) -> str:
        return pipe_names.turn(self._request.call_id, self._request.turn, pipe_names.SENTENCES)

    async def _append(self, position: str, fields: dict[str, str]) -> None:
        await self._ports.pipes.append(self._pipe, fields, position=position)

    async def _write_answer(self, told: Told) -> None:
        """Model, tools, model again, until there are words. After a crash it goes on after the rounds that are noted,
        and the model answers anew, with the same seed; what it says in the place of sentences that stand there, and
        may have been heard, is passed over.
        """
        if told.farewell:
            self.is_last = True
            await self._write(told.farewell)
            return
        self._rests_on = told.passages
        messages, rounds = list(told.messages), await self._noted.read() if told.tools else []
        for noted in rounds:
            messages += noted.messages
            self._number = noted.said
        calling = ToolCalling(told, self._request, final=self._final, clock=self._ports.clock, did=self._note_deed)
        while not (rounds and rounds[-1].leaving):
            text, calls = await self._round(told, messages, may_call=len(rounds) < MOST_ROUNDS)
            if not calls or told.box is None or len(rounds) >= MOST_ROUNDS:
                break
            first = sum(len(each.calls) for each in rounds)
            self._calls += len(calls)
            results = await calling.results(told.box, calls, first=first, has_spoken=bool(text), say=self._write)
            noted = Round(text, calls, results.texts, self._number, results.leaving)
            rounds.append(noted)
            await self._noted.write(len(rounds), noted)
            messages += noted.messages
        self.leaving = rounds[-1].leaving if rounds else None
        if max(self._number, self._kept):
            return
        if self.leaving is None:
            raise LanguageModelError("llm_empty", "the model said nothing", retryable=True)
        try:  # nobody is left without a word
            await self._round(told, messages, may_call=False)
        except LanguageModelError as error:
            logger.warning("call %s: it is left without a word: %s", self._request.call_id, error.code)

    async def _round(
        self, told: Told, messages: Sequence[Message], *, may_call: bool
    ) -> tuple[str, tuple[ToolCall, ...]]:
        """What the model said, which is on its way to the caller, and what it wants called."""
        splitter, said, calls = SentenceSplitter(), "", list[ToolCall]()
        wish = Wish(late_after_ms=self._late_after_ms, tools=told.offers, may_call=may_call, models=told.agent.models)
        answer = self._ports.language_model.answer(messages, call_id=self._request.call_id, wish=wish)
        async with aclosing(answer) as items:
            async for item in items:
                if isinstance(item, str):
                    self._tokens += 1
                    if self._tokens == 1:
                        await self._note(Moment.FIRST_TOKEN, self._ports.clock.now_ms())
                    for sentence in splitter.feed(item):
                        said += f" {sentence}"
                        await self._write(sentence)
                elif isinstance(item, ToolCall):
                    calls.append(item)
                else:
                    self._used.append(item)
        for sentence in splitter.flush():
            said += f" {sentence}"
            await self._write(sentence)
        return said.strip(), tuple(calls)

    async def _write(self, sentence: str) -> None:
        """Append the sentence as the next one, unless one stands in its place."""
        self._number += 1
        if self._number == 1 and self._rests_on:
            await self._note(CITATIONS, citations_text(cited(self._rests_on)))
        if self._number > self._kept:
            await self._append(takes.sentence_position(self.take, self._number), {"text": sentence})
            if self._number == 1:
                await self._note(Moment.FIRST_SENTENCE, self._ports.clock.now_ms())

    async def _say_in_place(self, sentence: str) -> None:
        """Instead of an answer, or of what is missing of it; once, however often the step runs."""
        written = await self._ports.pipes.read(self._pipe)
        said = [entry.fields[b"text"].decode() for entry in written if takes.place(entry.position)[0] == self.take]
        if sentence not in said:
            await self._append(takes.sentence_position(self.take, len(said) + 1), {"text": sentence})

    async def _note_deed(self, number: int, name: str, arguments: Mapping[str, Any], result: str) -> None:
        deed = Deed(name, json.dumps(arguments, ensure_ascii=False), result)
        await self._ports.live_calls.note_once(
            self._request.call_id, self._request.turn, deed.entry(number), deed.to_text()
        )

    async def _note(self, name: str, value: str | float) -> None:
        """The first value stands; it is kept as soon as the take is final."""
        value = self._entries.setdefault(name, value)
        if self._final.is_set():
            await self._keep(name, value)

    async def _keep(self, name: str, value: str | float) -> None:
        await self._ports.live_calls.note_once(self._request.call_id, self._request.turn, name, value)
