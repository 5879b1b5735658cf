"""The second step of a turn: from the caller's words to the agent's sentences, while the model still speaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from shared.domain import interruption, pipe_names
from shared.domain.agents.tools import Tools
from shared.domain.call import Agent, TurnOutcome
from shared.domain.conversation import remembered, system_prompt
from shared.domain.errors import NotFound, Overtaken, StoreError, VoiceAgentError
from shared.domain.fillers import apology_of, fillers_of
from shared.domain.limits import LONGEST_ANSWER_S
from shared.domain.refusals import farewell_in
from shared.domain.steps import TurnRequest
from shared.domain.takes import Ended, Failed, Final, TakeEvent, Tentative, Withdrawn
from shared.domain.telephony.handed import NOTE_RULES, Handed, note_of
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.language_model import LanguageModel, Message
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.tool_box import Tool, ToolBox, ToolRequest
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.languages import answer_language
from shared.use_cases.thinking.answering import Answering, AnswerPorts
from shared.use_cases.thinking.deeds import DEEDS_RULES, deeds_note
from shared.use_cases.thinking.keep_usage import KeepUsage
from shared.use_cases.thinking.spend_guard import SpendGuard
from shared.use_cases.thinking.told import Told
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)

_INTERRUPTED_WITHIN_S = 2.0
_CONTRIBUTED_WITHIN_S = 0.4
_OFFERED_WITHIN_S = 3.0
_HEARD_TURNS = 5
_NO_TOOLS = Tools()
_LOOKED_BACK_TURNS = 60
"""Among them are noises and answers unheard, which are not remembered."""


Contribution = Callable[[TurnRequest, Agent, str], Awaitable[Sequence[Message]]]
"""What else the model should know to answer these words: it stands between what was said before and them."""


@dataclass(frozen=True, slots=True)
class Spending:
    """`end`: ends a call, by its id, whose tenant may spend no more."""

    guard: SpendGuard
    end: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Think:
    """`handed`: who has put a tenant's call through to us, if anybody did. `tools`: what agents can do; `caller`:
    whom they do it for, as the door has proved it, by the call's id. `contributions`: all are asked at once, beside
    the history, and what is not there in time is left out.
    """

    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    language_model: LanguageModel
    clock: Clock
    handed: Callable[[str, str], Awaitable[Handed | None]] | None = None
    tools: ToolBox | None = None
    caller: Callable[[str], Awaitable[str]] | None = None
    contributions: Sequence[Contribution] = ()
    keep_usage: KeepUsage | None = None
    spending: Spending | None = None

    async def __call__(self, request: TurnRequest) -> None:
        """Write the answers to the turn's takes into the sentences pipe, and at last its end.

        Run again after a crash it keeps the sentences that stand there and adds what is missing.
        """
        pipes = await FencedPipes.begin(self.pipes, request, pipe_names.THINK_EPOCH)
        sentences = pipe_names.turn(request.call_id, request.turn, pipe_names.SENTENCES)
        try:
            answered = await self._think(request, pipes)
            await pipes.append(sentences, {"event": "end"}, position=pipe_names.END_POSITION)
            if answered is not None:
                await self._part(request, answered, pipes)
        except Overtaken:
            logger.warning("call %s turn %d: somebody else thinks in our place", request.call_id, request.turn)
            await Waiting(self.pipes, self.live_calls).first(request.call_id, sentences, of=is_end)

    async def _think(self, request: TurnRequest, pipes: FencedPipes) -> Answering | None:
        """What was answered, if anything was."""
        agent = await self._agent(request)  # looked up while the caller speaks, as the history and the tools are
        history = asyncio.create_task(self._history(request), name="history")
        offered = asyncio.create_task(self._offered(request, agent), name="tools")
        spent = asyncio.create_task(self._spent(request), name="spent")
        answering: Answering | None = None
        try:
            async with aclosing(Waiting(self.pipes, self.live_calls).takes(request)) as events:
                async for event in events:
                    answering = await self._follow(
                        _Asked(request, pipes, agent, history, offered, spent), event, answering
                    )
                    if isinstance(event, Final | Failed | Ended):
                        break
            if answering is None:
                return None
            await self._finish(request, answering)
            finished, answering = answering, None
            return finished
        finally:
            history.cancel()
            offered.cancel()
            spent.cancel()
            await asyncio.gather(history, offered, spent, return_exceptions=True)
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
        told = None if text is None else partial(self._told, asked, asked.agent, text)
        note_usage = self.keep_usage.note if self.keep_usage is not None else None
        ports = AnswerPorts(asked.pipes, self.live_calls, self.language_model, self.clock, note_usage)
        return Answering(
            ports,
            asked.request,
            take,
            told,
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

    async def _told(self, asked: _Asked, agent: Agent, text: str) -> Told:
        request = asked.request
        if await asked.spent:
            language = await answer_language(self.live_calls, request.call_id, request.turn, agent)
            return Told(agent=agent, messages=(), language=language, farewell=farewell_in(language, agent.language))
        journals, handed, language, known, (tools, caller) = await asyncio.gather(
            self._journals(asked, agent),
            self._handed(request),
            answer_language(self.live_calls, request.call_id, request.turn, agent),
            self._contributed(asked, agent, text),
            asked.offered,
        )
        prompt = system_prompt(agent.persona, switched_to="" if language == agent.language else language)
        heard = [journal["heard"] for journal in journals if journal.get("heard")]
        return Told(
            agent=agent,
            messages=_messages(prompt, journals, handed, [*known, Message("user", text)]),
            language=language,
            heard=(*heard[-_HEARD_TURNS:], text),
            caller=caller,
            filler=next(iter(fillers_of(agent)), "") if tools and language == agent.language else "",
            tools=tools,
            box=self.tools if tools else None,
        )

    async def _contributed(self, asked: _Asked, agent: Agent, text: str) -> list[Message]:
        """In the order of the contributors; whoever is late or fails is left out."""
        if not self.contributions:
            return []
        tasks = [asyncio.ensure_future(each(asked.request, agent, text)) for each in self.contributions]
        try:
            await asyncio.wait(tasks, timeout=_CONTRIBUTED_WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        known: list[Message] = []
        for task, outcome in zip(tasks, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                cause = "late" if task.cancelled() else type(outcome).__name__
                logger.warning("call %s turn %d: left out: %s", asked.request.call_id, asked.request.turn, cause)
            else:
                known += outcome
        return known

    async def _offered(self, request: TurnRequest, agent: Agent | None) -> tuple[tuple[Tool, ...], str]:
        """The agent's tools, and for whom they are called; an answer without them is better than none."""
        if self.tools is None or agent is None or agent.tools == _NO_TOOLS:
            return (), ""
        try:
            async with asyncio.timeout(_OFFERED_WITHIN_S):
                caller = self.caller(request.call_id) if self.caller is not None else _nobody()
                tools, proved = await asyncio.gather(self.tools.tools(agent), caller)
                return tuple(tools), proved
        except (VoiceAgentError, TimeoutError) as error:
            logger.warning("call %s: its tools are not known: %s", request.call_id, type(error).__name__)
            return (), ""

    async def _spent(self, request: TurnRequest) -> bool:
        return self.spending is not None and await self.spending.guard.is_spent(request.tenant_id)

    async def _part(self, request: TurnRequest, answered: Answering, pipes: FencedPipes) -> None:
        """Where the call ends with the answer, that is done here."""
        if answered.is_last and self.spending is not None:
            await self._heard(request)
            await pipes.still_mine()
            await self.spending.end(request.call_id)
        elif answered.leaving is not None:
            await self._leave(request, answered.leaving, pipes)

    async def _heard(self, request: TurnRequest) -> bool:
        """Until the turn's answer has been said as far as it will be; False where the call ended before."""
        spoken = pipe_names.turn(request.call_id, request.turn, pipe_names.SPOKEN)
        return await Waiting(self.pipes, self.live_calls).first(request.call_id, spoken, of=is_end) is not None

    async def _leave(self, request: TurnRequest, leaving: ToolRequest, pipes: FencedPipes) -> None:
        """Call what ends our part once the caller has heard everything; never where he has interrupted it."""
        ended = await self._heard(request)
        journal = await self.live_calls.journal(request.call_id, request.turn)
        agent = await self._agent(request)
        if not ended or agent is None or self.tools is None:
            return
        if journal.get("outcome") not in (TurnOutcome.COMPLETED, TurnOutcome.UNHEARD):
            logger.info("call %s turn %d: %s is not called any more", request.call_id, request.turn, leaving.name)
            return
        await pipes.still_mine()
        result = await self.tools.call(agent, leaving)
        if result.failed:
            logger.warning("call %s: tool %s failed", request.call_id, leaving.name)

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
    offered: asyncio.Task[tuple[tuple[Tool, ...], str]]
    spent: asyncio.Task[bool]


def _looked_back(request: TurnRequest) -> range:
    return range(max(0, request.turn - _LOOKED_BACK_TURNS), request.turn)


async def _nobody() -> str:
    return ""


def _messages(
    prompt: str, journals: Sequence[Mapping[str, str]], handed: Handed | None, last: Sequence[Message]
) -> list[Message]:
    """`last`: what comes after all that was said before."""
    deeds = deeds_note(journals)
    rules = [NOTE_RULES] if handed is not None else []
    rules += [DEEDS_RULES] if deeds is not None else []
    messages = [Message("system", "\n\n".join([prompt, *rules]))]
    if handed is not None:
        messages.append(Message("user", note_of(handed)))
    for caller, answer in remembered(journals):
        if caller:
            messages.append(Message("user", caller))
        if answer:
            messages.append(Message("assistant", answer))
    if deeds is not None:
        messages.append(deeds)
    return [*messages, *last]
