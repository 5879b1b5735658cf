"""One take's answer: the model's words, cut into sentences, on their way into the sentences pipe."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from shared.domain import pipe_names, takes
from shared.domain.errors import LanguageModelError
from shared.domain.ledger import Cost, Moment
from shared.domain.sentences import SentenceSplitter
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.language_model import LanguageModel, Message
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes

logger = logging.getLogger(__name__)

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AnswerPorts:
    """What answering needs from outside."""

    pipes: Pipes
    live_calls: LiveCalls
    language_model: LanguageModel
    clock: Clock


class Answering:
    """Answers one take in the background until it is done or cancelled.

    Of a take that is only tentative nothing is noted in the journal. `messages` is called first: it may have to wait
    for the answer before to be over; None stands for a turn whose words nobody knows. `apology`: what is said where
    there is no answer, or no more of it.
    """

    def __init__(
        self,
        ports: AnswerPorts,
        request: TurnRequest,
        take: int,
        messages: Callable[[], Awaitable[Sequence[Message]]] | None,
        *,
        apology: str,
        late_after_ms: int,
    ) -> None:
        self.take = take
        self._ports = ports
        self._request = request
        self._messages = messages
        self._apology = apology
        self._late_after_ms = late_after_ms
        self._is_final = False
        self._tokens = 0
        self._moments: dict[str, float] = {}
        self._task = asyncio.create_task(self._run(), name=f"answer to take {take}")

    async def finish(self) -> None:
        """This take is final: note when what happened, and wait until its answer is whole. Raises: StoreError."""
        self._is_final = True
        await asyncio.gather(*(self._keep(name, at_ms) for name, at_ms in list(self._moments.items())))
        try:
            await self._task
        finally:
            if self._tokens:
                await self._count(Cost.TOKENS)

    async def drop(self) -> None:
        """Nobody will hear this answer: the model is cancelled, what it cost is counted."""
        await self._cancel()
        if self._tokens:
            await self._count(Cost.TOKENS_WITHDRAWN)

    async def _cancel(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _count(self, cost: Cost) -> None:
        await self._ports.live_calls.count(self._request.call_id, self._request.turn, {cost: self._tokens})

    async def _run(self) -> None:
        """A step that runs again keeps this take's sentences that stand in the pipe, and adds what is missing."""
        said: list[str] = []
        for entry in await self._ports.pipes.read(self._pipe):
            if takes.place(entry.position)[0] == self.take:
                if b"text" not in entry.fields:
                    return
                said.append(entry.fields[b"text"].decode())
        outcome = ""
        try:
            if self._messages is None:
                raise LanguageModelError("nothing_heard", "what the caller said is not known")
            await self._write_answer(await self._messages(), len(said))
        except LanguageModelError as error:
            logger.warning("call %s turn %d: no answer: %s", self._request.call_id, self._request.turn, error)
            outcome = await self._apologise()
        await self._append(takes.answer_end_position(self.take), {"event": "answer_end", "outcome": outcome})

    @property
    def _pipe(self) -> str:
        return pipe_names.turn(self._request.call_id, self._request.turn, pipe_names.SENTENCES)

    async def _append(self, position: str, fields: dict[str, str]) -> None:
        await self._ports.pipes.append(self._pipe, fields, position=position)

    async def _write_answer(self, messages: Sequence[Message], kept: int) -> None:
        """After a crash the model answers anew, with the same seed; what it says in the place of the `kept`
        sentences, which stand there and may have been heard, is passed over.
        """
        splitter = SentenceSplitter()
        number = 0
        answer = self._ports.language_model.answer(
            messages, call_id=self._request.call_id, late_after_ms=self._late_after_ms
        )
        async with aclosing(answer) as tokens:
            async for token in tokens:
                self._tokens += 1
                if self._tokens == 1:
                    await self._note(Moment.FIRST_TOKEN)
                for sentence in splitter.feed(token):
                    number = await self._write(sentence, number, kept)
        for sentence in splitter.flush():
            number = await self._write(sentence, number, kept)
        if not max(number, kept):
            raise LanguageModelError("llm_empty", "the model said nothing", retryable=True)

    async def _write(self, sentence: str, number: int, kept: int) -> int:
        """Append the sentence as the next one, unless one stands in its place; gives its number."""
        number += 1
        if number > kept:
            await self._append(takes.sentence_position(self.take, number), {"text": sentence})
            if number == 1:
                await self._note(Moment.FIRST_SENTENCE)
        return number

    async def _apologise(self) -> str:
        written = await self._ports.pipes.read(self._pipe)
        said = [entry.fields[b"text"].decode() for entry in written if takes.place(entry.position)[0] == self.take]
        if self._apology not in said:
            await self._append(takes.sentence_position(self.take, len(said) + 1), {"text": self._apology})
        return FAILED

    async def _note(self, moment: Moment) -> None:
        now_ms = self._moments.setdefault(moment, self._ports.clock.now_ms())
        if self._is_final:
            await self._keep(moment, now_ms)

    async def _keep(self, moment: str, at_ms: float) -> None:
        await self._ports.live_calls.note_once(self._request.call_id, self._request.turn, moment, at_ms)
