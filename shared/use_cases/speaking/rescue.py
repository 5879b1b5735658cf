"""Breaks a silence that has lasted too long: the caller is told that it is our fault, whoever was to answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from shared.domain import interruption, pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.call import TurnOutcome
from shared.domain.errors import MediaError
from shared.domain.ledger import Moment
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCalls
from shared.ports.media_channel import MediaChannels
from shared.ports.pipes import Pipes
from shared.use_cases.fencing import FencedPipes, fenced
from shared.use_cases.languages import spoken_agent
from shared.use_cases.providers.prepared_sounds import PreparedSounds
from shared.use_cases.running import agent_of

logger = logging.getLogger(__name__)

_PIECE_BYTES = 400 * BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Rescue:
    """Needs no provider of speech or language: the apology is prepared sound."""

    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    channels: MediaChannels
    prepared: PreparedSounds
    clock: Clock

    async def __call__(self, request: TurnRequest) -> str:
        """Stop this turn's answer and apologise in its place; gives the turn's outcome. May be run again."""
        deed = partial(self._rescue, request)
        return await fenced(self.pipes, self.live_calls, request, pipe_names.RESCUE_EPOCH, deed)

    async def _rescue(self, request: TurnRequest, pipes: FencedPipes, journal: dict[str, str]) -> str:
        if "outcome" in journal:
            return journal["outcome"]
        if Moment.FIRST_FRAME_SENT in journal:
            return TurnOutcome.RUNNING  # it sounds, though the news of that was lost
        live = await self.live_calls.get(request.call_id)
        if live is None or live.end_reason or not live.connection_id:
            return TurnOutcome.UNHEARD
        agent = await agent_of(self.directory, live)
        position, fields = interruption.written(interruption.Stop(self.clock.now_ms()))
        await pipes.append(self._pipe(request, pipe_names.CONTROL), fields, position=position)
        agent = await spoken_agent(self.live_calls, request.call_id, request.turn, agent)
        apology = await self.prepared.apology(agent)
        channel = self.channels.open(live.provider, live.hub, live.connection_id, live.stream_id)
        try:
            await pipes.still_mine()
            await channel.clear()
            for start in range(0, len(apology.pcm), _PIECE_BYTES):
                await pipes.still_mine()
                await channel.play(apology.pcm[start : start + _PIECE_BYTES], None)
        except MediaError as error:
            logger.warning("call %s turn %d: not rescued: %s", request.call_id, request.turn, error.code)
            return TurnOutcome.UNHEARD
        said = {"said": apology.text, "outcome": TurnOutcome.FAILED.value}
        rescued_at_ms = self.clock.now_ms()
        ends_at_ms = rescued_at_ms + len(apology.pcm) / BYTES_PER_MS
        moments: dict[str, str | float] = {Moment.RESCUED: rescued_at_ms, Moment.PLAYBACK_ENDED: ends_at_ms}
        await self.live_calls.note(request.call_id, request.turn, {**said, **moments})
        spoken = self._pipe(request, pipe_names.SPOKEN)
        await pipes.append(spoken, {"event": "end", **said}, position=pipe_names.END_POSITION)
        return TurnOutcome.FAILED

    def _pipe(self, request: TurnRequest, name: str) -> str:
        return pipe_names.turn(request.call_id, request.turn, name)
