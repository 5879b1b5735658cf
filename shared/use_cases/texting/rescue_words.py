"""Breaks a silence that has lasted too long on a line that carries text: the apology goes out as words."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from shared.domain import interruption, pipe_names
from shared.domain.call import TurnOutcome
from shared.domain.errors import MediaError
from shared.domain.fillers import apology_of
from shared.domain.ledger import Moment
from shared.domain.speech_pace import spoken_ms
from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import CAPABILITIES, Capability
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.text_channel import TextChannels
from shared.use_cases.fencing import FencedPipes, fenced
from shared.use_cases.languages import spoken_agent
from shared.use_cases.running import agent_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RescueWords:
    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    channels: TextChannels
    clock: Clock

    async def __call__(self, request: TurnRequest) -> str:
        """Stop this turn's answer and apologise in its place; gives the turn's outcome. May be run again."""
        deed = partial(self._rescue, request)
        return await fenced(self.pipes, self.live_calls, request, pipe_names.RESCUE_EPOCH, deed)

    async def _rescue(self, request: TurnRequest, pipes: FencedPipes, journal: dict[str, str]) -> str:
        if "outcome" in journal:
            return journal["outcome"]
        if "saying" in journal:
            return TurnOutcome.RUNNING  # it is told, though the news of that was lost
        live = await self.live_calls.get(request.call_id)
        has_socket = live is not None and Capability.TEXT_STREAM in CAPABILITIES[live.line]
        if live is None or live.end_reason or (has_socket and not live.connection_id):
            return TurnOutcome.UNHEARD
        agent = await agent_of(self.directory, live)
        agent = await spoken_agent(self.live_calls, request.call_id, request.turn, agent)
        position, fields = interruption.written(interruption.Stop(self.clock.now_ms()))
        await pipes.append(self._pipe(request, pipe_names.CONTROL), fields, position=position)
        apology = apology_of(agent)
        try:
            await self._say(request, pipes, live, apology, agent.language)
        except MediaError as error:
            logger.warning("call %s turn %d: not rescued: %s", request.call_id, request.turn, error.code)
            return TurnOutcome.UNHEARD
        said = {"said": apology, "outcome": TurnOutcome.FAILED.value}
        now_ms = self.clock.now_ms()
        moments = {Moment.RESCUED.value: now_ms, Moment.PLAYBACK_ENDED.value: now_ms + spoken_ms(apology)}
        await self.live_calls.note(request.call_id, request.turn, {**said, **moments})
        spoken = self._pipe(request, pipe_names.SPOKEN)
        await pipes.append(spoken, {"event": "end", **said}, position=pipe_names.END_POSITION)
        return TurnOutcome.FAILED

    async def _say(
        self, request: TurnRequest, pipes: FencedPipes, live: LiveCall, apology: str, language: str
    ) -> None:
        await pipes.still_mine()
        if Capability.TEXT_STREAM in CAPABILITIES[live.line]:
            await self.channels.open_text(live).say(apology, is_last=True, language=language)
            return
        reply = self._pipe(request, pipe_names.REPLY)
        await pipes.append(reply, {"event": "end", "text": apology}, position=pipe_names.END_POSITION)

    def _pipe(self, request: TurnRequest, name: str) -> str:
        return pipe_names.turn(request.call_id, request.turn, name)
