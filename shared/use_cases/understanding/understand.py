"""Beside each answer the caller's words are understood, for the next one; the answer never waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from shared.domain.call import Agent
from shared.domain.errors import LanguageModelError, StoreError
from shared.domain.steps import TurnRequest
from shared.domain.understanding.declared import step_of, understands
from shared.domain.understanding.findings import Findings, joined, read_findings, schema_of
from shared.domain.understanding.flow import at_home, begun
from shared.domain.understanding.learning import learned
from shared.domain.understanding.matching import Obvious, obvious_in
from shared.domain.understanding.prompts import exchange_data, finding_prompt, guidance_of
from shared.domain.understanding.reading_slots import Heard, context_of
from shared.domain.understanding.state import State
from shared.ports.clock import Clock
from shared.ports.conversation_states import ConversationStates
from shared.ports.directory import Directory
from shared.ports.language_model import LanguageModel, Message, Usage, Wish
from shared.ports.live_calls import LiveCalls
from shared.use_cases.understanding.remember_callers import RememberCallers

logger = logging.getLogger(__name__)

_GUIDE_WITHIN_S = 0.25
"""An answer without guidance is better than a late one."""
_ASKED_WITHIN_S = 8.0
_FOLLOWED_WITHIN_S = 12.0
_TRIES = 5
_LONGEST_OUTPUT = 16_000


@dataclass(frozen=True, slots=True)
class Guidance:
    """`agent`: who answers; another than before where the call was handed on. `context`: what the model is told of
    the conversation, after the persona; "": nothing. `tools`: those that may be used now, as `Step.tools` names them;
    none: all of the agent's.
    """

    agent: Agent
    context: str = ""
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a conversation stands, and with whom."""

    agent: Agent
    state: State
    revision: int


@dataclass(frozen=True, slots=True)
class Understand:
    """`count`: told what each asking of the model has cost."""

    states: ConversationStates
    live_calls: LiveCalls
    directory: Directory
    language_model: LanguageModel
    clock: Clock
    remember: RememberCallers | None = None
    count: Callable[[TurnRequest, Usage], Awaitable[None]] | None = None

    async def begin(self, request: TurnRequest, agent: Agent) -> None:
        """While the caller speaks: what an earlier call was about is looked up once. Never fails."""
        if not understands(agent):
            return
        try:
            async with asyncio.timeout(_FOLLOWED_WITHIN_S):
                _, revision = await self.states.read(request.call_id)
                if revision:
                    return
                recalled = await self._recalled(request, agent)
                await self.states.write(request.call_id, recalled or begun(agent), revision=0)
        except (StoreError, TimeoutError) as error:
            _warn(request, "the state was not begun", error)

    async def guide(self, request: TurnRequest, agent: Agent, words: str, *, language: str = "") -> Guidance:
        """What the answer to these words is told, of which nothing is kept: they may be tentative. What code can see
        in the words counts already. Never fails, and never takes long.
        """
        if not understands(agent):
            return Guidance(agent)
        try:
            async with asyncio.timeout(_GUIDE_WITHIN_S):
                place = await self._place(request, agent)
                return await self._guidance(request, place, words, language)
        except (StoreError, TimeoutError) as error:
            _warn(request, "it is answered without guidance", error)
            return Guidance(agent)

    async def follow(
        self, request: TurnRequest, agent: Agent, words: str, *, asked: str = "", language: str = ""
    ) -> None:
        """Beside the answer to a final take: understand its words and keep what they change, once a turn, however
        often it is run. `asked`: what the agent has said last. Never fails.
        """
        if not understands(agent):
            return
        try:
            async with asyncio.timeout(_FOLLOWED_WITHIN_S):
                await self._follow(request, agent, words, asked, language)
        except (StoreError, TimeoutError) as error:
            _warn(request, "it was not understood", error)

    async def _follow(self, request: TurnRequest, agent: Agent, words: str, asked: str, language: str) -> None:
        place = await self._place(request, agent)
        if await self._is_settled(request, place.state):
            return
        findings = await self._findings(request, place, words, asked, language)
        for _ in range(_TRIES):
            state = learned(place.agent, place.state, findings, self._heard(request, place, words, language))
            state = await self._with_version(request, place.agent, state)
            if await self.live_calls.get(request.call_id) is None:
                return  # the call is over, and forgotten
            if await self.states.write(request.call_id, state, revision=place.revision):
                await self._is_settled(request, state)
                return
            place = await self._place(request, agent)
            if await self._is_settled(request, place.state):
                return
        logger.warning("call %s turn %d: others were always sooner", request.call_id, request.turn)

    def _heard(self, request: TurnRequest, place: _Place, words: str, language: str) -> Heard:
        return Heard(words, context_of(place.agent, self.clock.now(), language), request.turn)

    async def _is_settled(self, request: TurnRequest, state: State) -> bool:
        """Whether this turn is understood; then also whoever goes on with the call has been told, since a worker may
        have died between the two.
        """
        if not state.has_understood(request.turn):
            return False
        if state.goes_to:
            await self.live_calls.pass_on(
                request.call_id, state.goes_to, state.goes_to_version, turn=state.latest_turn
            )
        return True

    async def _with_version(self, request: TurnRequest, agent: Agent, state: State) -> State:
        """Another agent goes on as it is published now; where that one is gone, the call stays where it is."""
        if not state.goes_to or state.goes_to_version:
            return state
        other = await self.directory.agent(request.tenant_id, state.goes_to)
        if other is None or other.agent_id == agent.agent_id:
            logger.warning("call %s: there is no agent %s to go on", request.call_id, state.goes_to)
            return replace(state, goes_to="")
        return replace(state, goes_to_version=other.version)

    async def _place(self, request: TurnRequest, agent: Agent) -> _Place:
        """With the agent who leads the conversation now, which may be another than when the turn began."""
        state, revision = await self.states.read(request.call_id)
        if state is None:
            return _Place(agent, begun(agent), revision)
        name, version = state.goes_to, state.goes_to_version
        if not name and state.agent_id != agent.agent_id:
            live = await self.live_calls.get(request.call_id)
            name, version = (live.agent_id, live.agent_version) if live else ("", 0)
        if name and name != agent.agent_id and not state.has_understood(request.turn):
            agent = await self.directory.agent(request.tenant_id, name, version) or agent
        if state.has_understood(request.turn):
            return _Place(agent, state, revision)
        return _Place(agent, at_home(state, agent), revision)

    async def _guidance(self, request: TurnRequest, place: _Place, words: str, language: str) -> Guidance:
        agent, state = place.agent, place.state
        heard = self._heard(request, place, words, language)
        foreseen = learned(agent, state, obvious_in(agent, state, words, heard.context).findings, heard)
        if foreseen.goes_to and foreseen.goes_to != agent.agent_id:
            other = await self.directory.agent(request.tenant_id, foreseen.goes_to, foreseen.goes_to_version)
            if other is not None:
                agent, foreseen = other, at_home(foreseen, other)
        foreseen = replace(foreseen, goes_to="", goes_to_version=0)
        step = step_of(agent, foreseen.step)
        return Guidance(agent, guidance_of(agent, foreseen), step.tools if step else ())

    async def _findings(self, request: TurnRequest, place: _Place, words: str, asked: str, language: str) -> Findings:
        """By code where it is obvious, else by a model besides; what a model does not find stays unfound."""
        context = self._heard(request, place, words, language).context
        obvious: Obvious = obvious_in(place.agent, place.state, words, context)
        if obvious.is_all or not place.agent.intents:
            return obvious.findings
        try:
            async with asyncio.timeout(_ASKED_WITHIN_S):
                output = await self._asked(request, place, words, asked)
        except (LanguageModelError, TimeoutError) as error:
            _warn(request, "no model has understood it", error)
            return obvious.findings
        found = read_findings(output, place.agent, words)
        if found is None:
            logger.warning("call %s turn %d: what was understood cannot be read", request.call_id, request.turn)
            return obvious.findings
        return joined(obvious.findings, found)

    async def _asked(self, request: TurnRequest, place: _Place, words: str, asked: str) -> str:
        agent = place.agent
        messages = [
            Message("system", finding_prompt(agent, place.state)),
            Message("user", exchange_data(asked, words)),
        ]
        wish = Wish(schema=schema_of(agent), models=agent.models)
        pieces: list[str] = []
        answer = self.language_model.answer(messages, call_id=request.call_id, wish=wish)
        async with aclosing(answer) as parts:
            async for part in parts:
                if isinstance(part, str):
                    pieces.append(part)
                elif isinstance(part, Usage) and self.count is not None:
                    await self.count(request, part)
                if sum(map(len, pieces)) > _LONGEST_OUTPUT:
                    break
        return "".join(pieces)

    async def _recalled(self, request: TurnRequest, agent: Agent) -> State | None:
        """A call without its memory is better than none."""
        if self.remember is None:
            return None
        try:
            return await self.remember.recall(request.tenant_id, request.call_id, agent)
        except StoreError as error:
            _warn(request, "the caller's last call is not recalled", error)
            return None


def _warn(request: TurnRequest, what: str, error: Exception) -> None:
    reason = str(error) or type(error).__name__
    logger.warning("call %s turn %d: %s: %s", request.call_id, request.turn, what, reason)
