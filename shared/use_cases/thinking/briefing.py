"""What an answer is told, gathered from all sides while the caller still speaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.agents.tools import Tools
from shared.domain.call import Agent
from shared.domain.conversation import remembered, system_prompt
from shared.domain.errors import StoreError, VoiceAgentError
from shared.domain.fillers import fillers_of
from shared.domain.ledger import Moment
from shared.domain.refusals import farewell_in
from shared.domain.steps import TurnRequest
from shared.domain.telephony.handed import NOTE_RULES, Handed, note_of
from shared.domain.telephony.lines import Line
from shared.ports.knowledge import Passage
from shared.ports.language_model import Message
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.tool_box import Tool, ToolBox
from shared.use_cases.knowledge.look_up import LookUp
from shared.use_cases.languages import answer_language
from shared.use_cases.texting.transfer_orders import back_at_ms
from shared.use_cases.thinking.deeds import DEEDS_RULES, deeds_note
from shared.use_cases.thinking.history import History
from shared.use_cases.thinking.passages import passages_note, question_of, rules_of
from shared.use_cases.thinking.spend_guard import SpendGuard
from shared.use_cases.thinking.told import Told
from shared.use_cases.understanding.understand import Guidance, Understand

logger = logging.getLogger(__name__)

_OFFERED_WITHIN_S = 3.0
_BEGUN_WITHIN_S = 0.25
_HEARD_TURNS = 5
_NO_TOOLS = Tools()
_BACK_RULES = (
    "The caller was to be put through to a person. Nobody could be reached, and the caller is with you again: say so,"
    " and offer what else you can do."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Whom a briefing asks besides the call itself; an answer without any of them is better than none.

    `handed`: who has put a tenant's call through to us, if anybody did. `tools`: what agents can do; `caller`: whom
    they do it for, as the door has proved it, by the call's id. `look_up`: what documents say; `understand`: where
    the conversation stands; `guard`: whether the tenant may still spend.
    """

    handed: Callable[[str, str], Awaitable[Handed | None]] | None = None
    tools: ToolBox | None = None
    caller: Callable[[str], Awaitable[str]] | None = None
    look_up: LookUp | None = None
    understand: Understand | None = None
    guard: SpendGuard | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What these very words call for."""

    language: str
    guidance: Guidance
    passages: Sequence[Passage]
    tools: tuple[Tool, ...]
    caller: str


@dataclass(frozen=True, slots=True)
class _Before:
    """What happened before these words. `is_back`: the caller could not be put through since the last answer."""

    journals: Sequence[Mapping[str, str]]
    handed: Handed | None
    is_back: bool


class Briefing:
    """Of one turn, for all of its takes. It begins at once; `close` ends what still goes on."""

    def __init__(
        self, sources: Sources, pipes: Pipes, live_calls: LiveCalls, request: TurnRequest, *, agent: Agent, line: Line
    ) -> None:
        self.agent = agent
        self._line = line
        self._sources = sources
        self._pipes = pipes
        self._live_calls = live_calls
        self._request = request
        self._history = History(pipes, live_calls, request)
        self._offered = asyncio.create_task(self._tools_of(agent), name="tools")
        self._spent = asyncio.create_task(self._is_spent(), name="spent")
        self._begun = asyncio.create_task(self._begin(), name="begin to understand")

    async def close(self) -> None:
        tasks = (self._offered, self._spent, self._begun)
        for task in tasks:
            task.cancel()
        await asyncio.gather(self._history.close(), *tasks, return_exceptions=True)

    async def told(self, words: str) -> Told:
        """All that answering these words needs; nothing of it is kept. Raises: StoreError."""
        if await asyncio.shield(self._spent):  # a take that is dropped must not take it from the next one
            language = await self._language()
            farewell = farewell_in(language, self.agent.language)
            return Told(agent=self.agent, messages=(), language=language, farewell=farewell)
        before, known = await asyncio.gather(self._before(), self._known(words))
        agent = known.guidance.agent
        heard = [journal["heard"] for journal in before.journals if journal.get("heard")]
        is_own = known.language == agent.language
        return Told(
            agent=agent,
            messages=_messages(known, before, words),
            language=known.language,
            heard=(*heard[-_HEARD_TURNS:], words),
            caller=known.caller,
            filler=next(iter(fillers_of(agent)), "") if known.tools and is_own else "",
            tools=known.tools,
            box=self._sources.tools if known.tools else None,
            passages=known.passages,
            transfers_with_answers=self._line.transfers_with_answers,
        )

    async def follow(self, words: str) -> None:
        """Once these words are final: understand them, beside the answer and for the next one. Never fails."""
        if self._sources.understand is None:
            return
        try:
            journals, language = await asyncio.gather(self._history.journals(self.agent), self._language())
        except StoreError as error:
            logger.warning("call %s turn %d: it was not understood: %s", *self._place, error)
            return
        asked = next((journal["said"] for journal in reversed(journals) if journal.get("said")), "")
        await self._sources.understand.follow(self._request, self.agent, words, asked=asked, language=language)

    async def _before(self) -> _Before:
        journals, handed, back_ms = await asyncio.gather(
            self._history.journals(self.agent), self._handed(), back_at_ms(self._pipes, self._request.call_id)
        )
        answered_ms = [float(journal.get(Moment.TRANSCRIPT, 0)) for journal in journals if journal.get("said")]
        return _Before(journals, handed, is_back=back_ms > max(answered_ms, default=0))

    async def _known(self, words: str) -> _Known:
        language = await self._language()
        guidance = Guidance(self.agent)
        if self._sources.understand is not None:
            await asyncio.wait({self._begun}, timeout=_BEGUN_WITHIN_S)
            guidance = await self._sources.understand.guide(self._request, self.agent, words, language=language)
        passages, (tools, caller) = await asyncio.gather(
            self._passages(guidance.agent, words), self._guided_tools(guidance)
        )
        return _Known(language, guidance, passages, tools, caller)

    async def _language(self) -> str:
        return await answer_language(self._live_calls, self._request.call_id, self._request.turn, self.agent)

    async def _passages(self, agent: Agent, words: str) -> Sequence[Passage]:
        if self._sources.look_up is None or not agent.knowledge.collections:
            return ()
        question = question_of(words, await self._history.last_words())
        return await self._sources.look_up(self._request.tenant_id, agent.knowledge, question)

    async def _guided_tools(self, guidance: Guidance) -> tuple[tuple[Tool, ...], str]:
        """Those that the step of the conversation allows, of the agent who leads it."""
        of_turn = guidance.agent == self.agent
        tools, caller = await (asyncio.shield(self._offered) if of_turn else self._tools_of(guidance.agent))
        if not guidance.tools:
            return tools, caller
        return tuple(tool for tool in tools if {tool.name, tool.group} & set(guidance.tools)), caller

    async def _tools_of(self, agent: Agent) -> tuple[tuple[Tool, ...], str]:
        """The agent's tools, and for whom they are called."""
        box, caller_of = self._sources.tools, self._sources.caller
        if box is None or agent.tools == _NO_TOOLS:
            return (), ""
        try:
            async with asyncio.timeout(_OFFERED_WITHIN_S):
                caller = caller_of(self._request.call_id) if caller_of is not None else _nobody()
                tools, proved = await asyncio.gather(box.tools(agent), caller)
                return tuple(tools), proved
        except (VoiceAgentError, TimeoutError) as error:
            logger.warning("call %s turn %d: its tools are not known: %s", *self._place, type(error).__name__)
            return (), ""

    async def _handed(self) -> Handed | None:
        """It may be told while the first turn listens already."""
        if self._sources.handed is None:
            return None
        try:
            return await self._sources.handed(self._request.tenant_id, self._request.call_id)
        except StoreError as error:
            logger.warning("call %s turn %d: who put it through is not known: %s", *self._place, error)
            return None

    async def _begin(self) -> None:
        if self._sources.understand is not None:
            await self._sources.understand.begin(self._request, self.agent)

    async def _is_spent(self) -> bool:
        return self._sources.guard is not None and await self._sources.guard.is_spent(self._request.tenant_id)

    @property
    def _place(self) -> tuple[str, int]:
        return self._request.call_id, self._request.turn


async def _nobody() -> str:
    return ""


def _messages(known: _Known, before: _Before, words: str) -> list[Message]:
    agent, handed = known.guidance.agent, before.handed
    deeds, passages = deeds_note(before.journals), passages_note(known.passages)
    prompt = system_prompt(agent.persona, switched_to="" if known.language == agent.language else known.language)
    rules = [
        *([known.guidance.context] if known.guidance.context else []),
        *([NOTE_RULES] if handed is not None else []),
        *([DEEDS_RULES] if deeds is not None else []),
        *([_BACK_RULES] if before.is_back else []),
        *rules_of(agent.knowledge, known.passages),
    ]
    messages = [Message("system", "\n\n".join([prompt, *rules]))]
    if handed is not None:
        messages.append(Message("user", note_of(handed)))
    for caller, answer in remembered(before.journals):
        if caller:
            messages.append(Message("user", caller))
        if answer:
            messages.append(Message("assistant", answer))
    messages += [note for note in (deeds, passages) if note is not None]
    return [*messages, Message("user", words)]
