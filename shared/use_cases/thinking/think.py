"""The second step of a turn: from the caller's words to the agent's sentences, while the model still speaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from shared.domain import pipe_names
from shared.domain.call import Agent
from shared.domain.errors import Overtaken
from shared.domain.fillers import apology_of
from shared.domain.steps import TurnRequest
from shared.domain.takes import Ended, Failed, Final, TakeEvent, Tentative, Withdrawn
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.language_model import LanguageModel
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.running import agent_of
from shared.use_cases.thinking.answering import Answering, AnswerPorts
from shared.use_cases.thinking.briefing import Briefing, Sources
from shared.use_cases.thinking.keep_usage import KeepUsage
from shared.use_cases.thinking.parting import Parting
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Think:
    """`sources`: whom answers are told from besides the call. `end_spent`: see `Parting`."""

    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    language_model: LanguageModel
    clock: Clock
    sources: Sources = field(default_factory=Sources)
    keep_usage: KeepUsage | None = None
    end_spent: Callable[[str], Awaitable[None]] | None = None

    async def __call__(self, request: TurnRequest) -> None:
        """Write the answers to the turn's takes into the sentences pipe, and at last its end; understand its words
        beside them.

        Run again after a crash it keeps the sentences that stand there and adds what is missing.
        """
        pipes = await FencedPipes.begin(self.pipes, request, pipe_names.THINK_EPOCH)
        live = await self.live_calls.get(request.call_id)
        if live is None:  # the call is over, and forgotten
            await _end(pipes, request)
            return
        agent = await agent_of(self.directory, live)
        # It begins while the caller still speaks.
        briefing = Briefing(self.sources, self.pipes, self.live_calls, request, agent=agent, line=live.line)
        try:
            await self._answer_turn(_Turn(request, pipes, agent, briefing))
        except Overtaken:
            logger.warning("call %s turn %d: somebody else thinks in our place", request.call_id, request.turn)
            await Waiting(self.pipes, self.live_calls).first(request.call_id, _sentences(request), of=is_end)
        finally:
            await briefing.close()

    async def _answer_turn(self, turn: _Turn) -> None:
        request = turn.request
        following: asyncio.Task[None] | None = None
        try:
            answered, words = await self._answered(turn)
            if words:
                following = asyncio.create_task(turn.briefing.follow(words), name="understand")
            if answered is not None:
                await self._finish(request, answered)
            await _end(turn.pipes, request)
            if answered is not None:
                part = Parting(self.pipes, self.live_calls, self.clock, self.sources.tools, self.end_spent)
                await part(request, turn.agent, answered, turn.pipes)
            if following is not None:
                await following
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def _answered(self, turn: _Turn) -> tuple[Answering | None, str]:
        """The answer to the turn's last take, which goes on, and the caller's final words; None and "" where nothing
        is to be answered.
        """
        answering: Answering | None = None
        try:
            async with aclosing(Waiting(self.pipes, self.live_calls).takes(turn.request)) as events:
                async for event in events:
                    answering = await self._follow(turn, event, answering)
                    if isinstance(event, Final | Failed | Ended):
                        finished, answering = answering, None
                        return finished, event.text if isinstance(event, Final) else ""
            return None, ""
        finally:
            if answering is not None:
                await answering.drop()

    async def _follow(self, turn: _Turn, event: TakeEvent, answering: Answering | None) -> Answering | None:
        """Which take is being answered after the event."""
        if isinstance(event, Final) and answering is not None and answering.take == event.take:
            return answering
        if answering is not None:
            await answering.drop()
        match event:
            case Tentative(take, text) | Final(take, text):
                return self._answer(turn, take, text)
            case Failed(take):
                return self._answer(turn, take, None)
            case Withdrawn() | Ended():
                return None

    def _answer(self, turn: _Turn, take: int, text: str | None) -> Answering:
        note_usage = self.keep_usage.note if self.keep_usage is not None else None
        return Answering(
            AnswerPorts(turn.pipes, self.live_calls, self.language_model, self.clock, note_usage),
            turn.request,
            take,
            None if text is None else partial(turn.briefing.told, text),
            apology=apology_of(turn.agent),
            late_after_ms=turn.agent.manner.race_after_ms,
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
        except BaseException:
            await answering.drop()
            raise
        finally:
            for task in (finishing, *unwanted):
                task.cancel()
            await asyncio.gather(finishing, *unwanted, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What all takes of a turn have in common."""

    request: TurnRequest
    pipes: FencedPipes
    agent: Agent
    briefing: Briefing


def _sentences(request: TurnRequest) -> str:
    return pipe_names.turn(request.call_id, request.turn, pipe_names.SENTENCES)


async def _end(pipes: FencedPipes, request: TurnRequest) -> None:
    await pipes.append(_sentences(request), {"event": "end"}, position=pipe_names.END_POSITION)
