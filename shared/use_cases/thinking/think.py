"""The second step of a turn: from the caller's words to the agent's sentences, while the model still speaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from shared.domain import interruption, pipe_names
from shared.domain.call import Agent
from shared.domain.conversation import remembered, system_prompt
from shared.domain.errors import NotFound, Overtaken, StoreError
from shared.domain.fillers import apology_of
from shared.domain.limits import LONGEST_ANSWER_S
from shared.domain.steps import TurnRequest
from shared.domain.takes import Ended, Failed, Final, TakeEvent, Tentative, Withdrawn
from shared.domain.telephony.handed import NOTE_RULES, Handed, note_of
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.language_model import LanguageModel, Message
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.languages import answer_language
from shared.use_cases.thinking.answering import Answering, AnswerPorts
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)

_INTERRUPTED_WITHIN_S = 2.0
_LOOKED_BACK_TURNS = 60
"""Among them are noises and answers unheard, which are not remembered."""


@dataclass(frozen=True, slots=True)
class Think:
    """`handed`: who has put a tenant's call through to us, if anybody did."""

    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    language_model: LanguageModel
    clock: Clock
    handed: Callable[[str, str], Awaitable[Handed | None]] | None = None

    async def __call__(self, request: TurnRequest) -> None:
        """Write the answers to the turn's takes into the sentences pipe, and at last its end.

        Run again after a crash it keeps the sentences that stand there and adds what is missing.
        """
        pipes = await FencedPipes.begin(self.pipes, request, pipe_names.THINK_EPOCH)
        sentences = pipe_names.turn(request.call_id, request.turn, pipe_names.SENTENCES)
        try:
            await self._think(request, pipes)
            await pipes.append(sentences, {"event": "end"}, position=pipe_names.END_POSITION)
        except Overtaken:
            logger.warning("call %s turn %d: somebody else thinks in our place", request.call_id, request.turn)
            await Waiting(self.pipes, self.live_calls).first(request.call_id, sentences, of=is_end)

    async def _think(self, request: TurnRequest, pipes: FencedPipes) -> None:
        agent = await self._agent(request)  # looked up while the caller speaks, as the history is
        history = asyncio.create_task(self._history(request), name="history")
        answering: Answering | None = None
        try:
            async with aclosing(Waiting(self.pipes, self.live_calls).takes(request)) as events:
                async for event in events:
                    answering = await self._follow(_Asked(request, pipes, agent, history), event, answering)
                    if isinstance(event, Final | Failed | Ended):
                        break
            if answering is not None:
                await self._finish(request, answering)
                answering = None
        finally:
            history.cancel()
            await asyncio.gather(history, return_exceptions=True)
            if answering is not None:
                await answering.drop()

    async def _follow(self, asked: _Asked, event: TakeEvent, answering: Answering | None) -> Answering | None:
        """Which take is being answered after the event."""
        if isinstance(event, Final) and answering is not None and answering.take == event.take:
            return answering
        if answering is not None:
            await answering.drop()
        match event:
            case Tentative(take, text) | Final(take, text):
                return self._answer(asked, take, text)
            case Failed(take):
                return self._answer(asked, take, None)
            case Withdrawn() | Ended():
                return None

    def _answer(self, asked: _Asked, take: int, text: str | None) -> Answering:
        if asked.agent is None:
            raise NotFound("agent_unknown", "the call's agent is gone")
        messages = None if text is None else partial(self._messages, asked, asked.agent, text)
        ports = AnswerPorts(asked.pipes, self.live_calls, self.language_model, self.clock)
        return Answering(
            ports,
            asked.request,
            take,
            messages,
            apology=apology_of(asked.agent),
            late_after_ms=asked.agent.manner.race_after_ms,
        )

    async def _finish(self, request: TurnRequest, answering: Answering) -> None:
        """Until the answer is whole, or nobody wants it any more: then the model is cancelled at once."""
        waiting = Waiting(self.pipes, self.live_calls)
        # Who speaks may give up an answer that does not come.
        spoken = waiting.first(
            request.call_id, pipe_names.turn(request.call_id, request.turn, pipe_names.SPOKEN), of=is_end
        )
        finishing = asyncio.create_task(answering.finish(), name="answer")
        unwanted = [
            asyncio.create_task(waiting.stop(request), name="stop"),
            asyncio.create_task(spoken, name="spoken"),
        ]
        try:
            done, _ = await asyncio.wait({finishing, *unwanted}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (finishing, *unwanted):
                task.cancel()
            await asyncio.gather(finishing, *unwanted, return_exceptions=True)

    async def _agent(self, request: TurnRequest) -> Agent | None:
        live = await self.live_calls.get(request.call_id)
        if live is None:
            return await self.directory.agent(request.tenant_id, None)
        return await self.directory.agent(request.tenant_id, live.agent_id, live.agent_version)

    async def _handed(self, request: TurnRequest) -> Handed | None:
        """An answer without it is better than none. It may be told while the first turn listens already."""
        if self.handed is None:
            return None
        try:
            return await self.handed(request.tenant_id, request.call_id)
        except StoreError as error:
            logger.warning("call %s: who put it through is not known: %s", request.call_id, error)
            return None

    async def _messages(self, asked: _Asked, agent: Agent, text: str) -> list[Message]:
        journals, handed, language = await asyncio.gather(
            self._journals(asked, agent),
            self._handed(asked.request),
            answer_language(self.live_calls, asked.request.call_id, asked.request.turn, agent),
        )
        switched_to = "" if language == agent.language else language
        prompt = system_prompt(agent.persona, switched_to=switched_to)
        messages = [Message("system", prompt)]
        if handed is not None:
            messages = [Message("system", f"{prompt}\n\n{NOTE_RULES}"), Message("user", note_of(handed))]
        for caller, answer in remembered(journals):
            if caller:
                messages.append(Message("user", caller))
            if answer:
                messages.append(Message("assistant", answer))
        messages.append(Message("user", text))
        return messages

    async def _journals(self, asked: _Asked, agent: Agent) -> list[dict[str, str]]:
        """Those of the turns before. They are what was heard of the answers, so the last one must be over or held:
        an interrupted one is in a moment, one that may not be interrupted when it has been said.
        """
        if asked.history.done() and not asked.history.exception():
            return asked.history.result()
        within_s = _INTERRUPTED_WITHIN_S if agent.interruptible else LONGEST_ANSWER_S
        request = asked.request
        held = await self._held_before(request)
        waiting = Waiting(self.pipes, self.live_calls)
        ended = await waiting.within(
            self._spoken_before(request), within_s, of=lambda entry: is_end(entry) or entry.position == held
        )
        if ended is None:
            logger.warning("call %s turn %d: the turn before has not ended", request.call_id, request.turn)
        return await self.live_calls.journals(request.call_id, _looked_back(request))

    async def _history(self, request: TurnRequest) -> list[dict[str, str]]:
        """The same once the answer before is over, which it mostly is long before the caller has finished."""
        waiting = Waiting(self.pipes, self.live_calls)
        while await waiting.within(self._spoken_before(request), LONGEST_ANSWER_S, of=is_end) is None:
            pass  # a turn may listen for minutes; what stands in the journals before the end is not yet history
        return await self.live_calls.journals(request.call_id, _looked_back(request))

    async def _held_before(self, request: TurnRequest) -> str:
        """Where it is told what was heard of the answer before until the hold that lasts; "" where none does."""
        control = pipe_names.turn(request.call_id, request.turn - 1, pipe_names.CONTROL)
        held = ""
        for entry in await self.pipes.read(control):
            match interruption.read(entry.position, entry.fields):
                case interruption.Hold(number):
                    held = f"{number}-0"
                case interruption.Resume():
                    held = ""
        return held

    def _spoken_before(self, request: TurnRequest) -> str:
        return pipe_names.turn(request.call_id, request.turn - 1, pipe_names.SPOKEN)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all takes of a turn have in common."""

    request: TurnRequest
    pipes: FencedPipes
    agent: Agent | None
    history: asyncio.Task[list[dict[str, str]]]


def _looked_back(request: TurnRequest) -> range:
    return range(max(0, request.turn - _LOOKED_BACK_TURNS), request.turn)
