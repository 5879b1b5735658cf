"""The second step of a turn: from the caller's words to the agent's sentences, while the model still speaks."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import Agent
from shared.domain.conversation import APOLOGY, NOT_UNDERSTOOD, remembered, system_prompt
from shared.domain.errors import LanguageModelError, NotFound
from shared.domain.ledger import Moment
from shared.domain.sentences import SentenceSplitter
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.language_model import LanguageModel, Message
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Entry, Pipes
from shared.use_cases.waiting import Waiting, is_last

logger = logging.getLogger(__name__)

_INTERRUPTED_WITHIN_S = 2.0
_SPOKEN_WITHIN_S = 120.0
_TRANSCRIBED_WITHIN_S = 12.0
"""A little more than speech to text may take."""
_LOOKED_BACK_TURNS = 60
"""Among them are noises and answers unheard, which are not remembered."""
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Think:
    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    language_model: LanguageModel
    clock: Clock

    async def __call__(self, request: TurnRequest) -> None:
        """Write the answer's sentences into their pipe, numbered, and its end.

        Run again after a crash it keeps the sentences that stand there and adds what is missing.
        """
        transcript = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
        agent = await self._agent(request)  # looked up while the caller speaks
        heard = await Waiting(self.pipes, self.live_calls).first(request.call_id, transcript)
        outcome = ""
        if heard is not None and heard.fields.get(b"event") != b"end":
            outcome = await self._answer(request, agent, heard)
        await self.pipes.append(
            self._sentences(request), {"event": "end", "outcome": outcome}, position=pipe_names.END_POSITION
        )

    def _sentences(self, request: TurnRequest) -> str:
        return pipe_names.turn(request.call_id, request.turn, pipe_names.SENTENCES)

    async def _answer(self, request: TurnRequest, agent: Agent | None, heard: Entry) -> str:
        written = await self.pipes.read(self._sentences(request))
        if written and is_last(written[-1]):
            return ""
        said = [entry.fields[b"text"].decode() for entry in written]
        if heard.fields.get(b"event") == FAILED.encode():
            return await self._say_instead(request, said, APOLOGY, FAILED)
        if agent is None:
            raise NotFound("agent_unknown", "the call's agent is gone")
        await self._previous_turn(request, agent)
        text = heard.fields[b"text"].decode()
        if not text:
            return await self._not_understood(request, said)
        try:
            await self._stream(request, await self._messages(request, agent, text), len(said))
        except LanguageModelError as error:
            logger.warning("call %s turn %d: no answer: %s", request.call_id, request.turn, error)
            written = await self.pipes.read(self._sentences(request))
            said = [entry.fields[b"text"].decode() for entry in written]
            return await self._say_instead(request, said, APOLOGY, FAILED)
        return ""

    async def _previous_turn(self, request: TurnRequest, agent: Agent) -> None:
        """History is what was heard of the answer before, so that answer must be over: an interrupted one is in
        a moment, one that may not be interrupted when it has been said.
        """
        spoken = pipe_names.turn(request.call_id, request.turn - 1, pipe_names.SPOKEN)
        within_s = _INTERRUPTED_WITHIN_S if agent.interruptible else _SPOKEN_WITHIN_S
        if await Waiting(self.pipes, self.live_calls).within(spoken, within_s) is None:
            logger.warning("call %s turn %d: the turn before has not ended", request.call_id, request.turn)

    async def _not_understood(self, request: TurnRequest, said: list[str]) -> str:
        """A noise. Silence answers it best, unless it cut the agent's sentence short."""
        before = await self.live_calls.journal(request.call_id, request.turn - 1)
        if before.get("outcome") == "interrupted":
            return await self._say_instead(request, said, NOT_UNDERSTOOD, "")
        return ""

    async def _agent(self, request: TurnRequest) -> Agent | None:
        live = await self.live_calls.get(request.call_id)
        return await self.directory.agent(request.tenant_id, live.agent_id if live else None)

    async def _messages(self, request: TurnRequest, agent: Agent, text: str) -> list[Message]:
        messages = [Message("system", system_prompt(agent.persona))]
        for caller, answer in remembered(await self._journals(request)):
            if caller:
                messages.append(Message("user", caller))
            if answer:
                messages.append(Message("assistant", answer))
        messages.append(Message("user", text))
        return messages

    async def _journals(self, request: TurnRequest) -> list[dict[str, str]]:
        """Those of the turns before. Who pauses and goes on speaks in two turns, which are transcribed side by
        side: the words of the first are waited for, even if those of the second are there sooner.
        """
        turns = range(max(0, request.turn - _LOOKED_BACK_TURNS), request.turn)
        journals = await self.live_calls.journals(request.call_id, turns)
        if request.turn > 1 and "heard" not in journals[-1]:
            transcript = pipe_names.turn(request.call_id, request.turn - 1, pipe_names.TRANSCRIPT)
            heard = await Waiting(self.pipes, self.live_calls).within(transcript, _TRANSCRIBED_WITHIN_S)
            if heard is not None and b"text" in heard.fields:
                journals[-1]["heard"] = heard.fields[b"text"].decode()
        return journals

    async def _stream(self, request: TurnRequest, messages: list[Message], kept: int) -> None:
        """Write the model's answer until it ends, or the caller interrupts: then the model is cancelled at once."""
        writing = asyncio.create_task(self._write_answer(request, messages, kept), name="answer")
        stopped = asyncio.create_task(Waiting(self.pipes, self.live_calls).stop(request), name="stop")
        try:
            await asyncio.wait({writing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            (writing if writing.done() else stopped).result()
        finally:
            for task in (writing, stopped):
                task.cancel()
            await asyncio.gather(writing, stopped, return_exceptions=True)

    async def _write_answer(self, request: TurnRequest, messages: list[Message], kept: int) -> None:
        """After a crash the model answers anew, with the same seed; what it says in the place of the `kept`
        sentences, which stand there and may have been heard, is passed over.
        """
        splitter = SentenceSplitter()
        number = 0
        started = bool(kept)
        async with aclosing(self.language_model.answer(messages, call_id=request.call_id)) as tokens:
            async for token in tokens:
                if not started:
                    started = True
                    await self._note(request, Moment.FIRST_TOKEN)
                for sentence in splitter.feed(token):
                    number = await self._write(request, sentence, number, kept)
        for sentence in splitter.flush():
            number = await self._write(request, sentence, number, kept)
        if not max(number, kept):
            raise LanguageModelError("llm_empty", "the model said nothing", retryable=True)

    async def _note(self, request: TurnRequest, moment: Moment) -> None:
        await self.live_calls.note_once(request.call_id, request.turn, moment, self.clock.now_ms())

    async def _write(self, request: TurnRequest, sentence: str, number: int, kept: int) -> int:
        """Append the sentence as the next one, unless one stands in its place; gives its number."""
        number += 1
        if number > kept:
            await self.pipes.append(self._sentences(request), {"text": sentence}, position=f"{number}-0")
            if number == 1:
                await self._note(request, Moment.FIRST_SENTENCE)
        return number

    async def _say_instead(self, request: TurnRequest, said: list[str], sentence: str, outcome: str) -> str:
        if sentence not in said:
            await self._write(request, sentence, len(said), 0)
        return outcome
