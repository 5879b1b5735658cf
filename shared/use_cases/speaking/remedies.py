"""What is done about an answer that is late or cannot be said: a filler, and in the end an apology in its place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from shared.domain.call import Agent
from shared.domain.errors import StoreError, VoiceAgentError
from shared.domain.lateness import Lateness
from shared.domain.ledger import Cost, Moment
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.use_cases.speaking.sending import Afterwards, Sending
from shared.use_cases.speaking.speaking_notes import SpeakingNotes
from shared.use_cases.speaking.synthesis import Synthesis

logger = logging.getLogger(__name__)

_APOLOGY_WITHIN_S = 2.0


class Sound(Protocol):
    """What is said without a provider's help, PCM16 mono 16 kHz."""

    @property
    def text(self) -> str: ...

    @property
    def pcm(self) -> bytes: ...


class Prepared(Protocol):
    """Sounds that are there before they are needed."""

    def prepare(self, agent: Agent) -> None: ...

    async def filler(self, agent: Agent, call_id: str) -> Sound | None: ...

    async def apology(self, agent: Agent) -> Sound: ...


class PreparedAsSpoken:
    """Fills `Prepared` from another one, in the language of the call; `spoken` gives the agent as it is heard now."""

    def __init__(self, prepared: Prepared, spoken: Callable[[Agent], Awaitable[Agent]]) -> None:
        self._prepared = prepared
        self._spoken = spoken

    def prepare(self, agent: Agent) -> None:
        self._prepared.prepare(agent)

    async def filler(self, agent: Agent, call_id: str) -> Sound | None:
        return await self._prepared.filler(await self._as_spoken(agent), call_id)

    async def apology(self, agent: Agent) -> Sound:
        return await self._prepared.apology(await self._as_spoken(agent))

    async def _as_spoken(self, agent: Agent) -> Agent:
        try:
            return await self._spoken(agent)
        except StoreError:
            return agent


class Remedies:
    """Of one turn. The greeting needs no filler: nobody has asked anything. `on_news`: a filler has been found."""

    def __init__(
        self,
        prepared: Prepared,
        clock: Clock,
        request: TurnRequest,
        agent: Agent,
        *,
        sending: Sending,
        notes: SpeakingNotes,
        afterwards: Afterwards,
        on_news: Callable[[], None],
    ) -> None:
        self.lateness = Lateness(agent.manner, fills=request.turn > 0)
        self._prepared = prepared
        self._clock = clock
        self._request = request
        self._agent = agent
        self._sending = sending
        self._notes = notes
        self._afterwards = afterwards
        self._on_news = on_news
        self._filler: asyncio.Task[Sound | None] | None = None
        self._is_first_filler = True

    async def look(self, final: Synthesis, now_ms: float) -> float:
        """There is nothing to be played: do what is due. Gives when to look again, if nothing has come by then."""
        until_ms = self._sending.playback.ends_at_ms
        limit_at_ms, filler_at_ms = self.lateness.limit_at_ms(until_ms), self.lateness.filler_at_ms(until_ms)
        if now_ms >= limit_at_ms:
            await self.rescue(final)
            return now_ms
        if now_ms < filler_at_ms:
            return min(limit_at_ms, filler_at_ms)
        if self._filler is None:
            self._filler = asyncio.create_task(self._find_filler(), name="filler")
            self._filler.add_done_callback(lambda _: self._on_news())
        if not self._filler.done():
            return limit_at_ms
        filler, self._filler = self._filler.result(), None
        self.lateness.filled()
        if filler is not None:
            await self._fill(filler)
        return now_ms

    async def rescue(self, final: Synthesis) -> None:
        """Give the answer up, and let the apology be played in its place."""
        logger.warning("call %s turn %d: the answer is given up", self._request.call_id, self._request.turn)
        final.give_up()
        try:
            async with asyncio.timeout(_APOLOGY_WITHIN_S):
                apology = await self._prepared.apology(self._agent)
        except TimeoutError:
            logger.error("call %s turn %d: there is no apology", self._request.call_id, self._request.turn)
            return
        final.rescue(apology.text, apology.pcm)
        self._afterwards.do(partial(self._notes.note, {Moment.RESCUED: self._clock.now_ms()}))

    async def close(self) -> None:
        if self._filler is not None:
            self._filler.cancel()
            await asyncio.gather(self._filler, return_exceptions=True)

    async def _find_filler(self) -> Sound | None:
        try:
            return await self._prepared.filler(self._agent, self._request.call_id)
        except VoiceAgentError as error:
            logger.warning("call %s turn %d: no filler: %s", self._request.call_id, self._request.turn, error)
            return None

    async def _fill(self, filler: Sound) -> None:
        sent = await self._sending.send_filler(filler.pcm)
        self._notes.count(Cost.FILLERS)
        if self._is_first_filler:
            self._is_first_filler = False
            self._afterwards.do(partial(self._notes.note, {Moment.FILLER: sent.from_ms}))
        self._afterwards.do(partial(self._sending.confirm, sent))
