"""The third step of a turn: from sentences to sound in the caller's ear, each sent while it is being made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import TurnOutcome
from shared.domain.errors import MediaError, NotFound
from shared.domain.ledger import Moment
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.media_channel import MediaChannels
from shared.ports.media_codec import FrameDecoder
from shared.ports.pipes import Pipes
from shared.ports.text_to_speech import TextToSpeech
from shared.use_cases.sound_pieces import SoundPieces
from shared.use_cases.speaking import Speaking
from shared.use_cases.synthesis import Synthesis
from shared.use_cases.waiting import Waiting

logger = logging.getLogger(__name__)

_MARK_GRACE_MS = 1500
"""How long after the computed end the last mark is waited for."""


@dataclass(frozen=True, slots=True)
class Speak:
    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    text_to_speech: TextToSpeech
    channels: MediaChannels
    decoder_of: Callable[[LiveCall, int], FrameDecoder]
    files: FileStore
    clock: Clock

    async def __call__(self, request: TurnRequest) -> str:
        """Say the turn's sentences; gives the outcome. Run again after a crash, it goes on where it stopped."""
        journal = await self.live_calls.journal(request.call_id, request.turn)
        if "outcome" in journal:
            return await self._tell(request, journal.get("said", ""), journal["outcome"])
        live = await self._connected(request)
        if live is None:
            return await self._close(request, "", TurnOutcome.UNHEARD)
        agent = await self.directory.agent(live.tenant_id, live.agent_id)
        if agent is None:
            raise NotFound("agent_unknown", "the call's agent is gone")
        synthesis = Synthesis(
            self.pipes,
            self.live_calls,
            text_to_speech=self.text_to_speech,
            clock=self.clock,
            request=request,
            voice=agent.voice,
        )
        speaking = Speaking(
            self.pipes,
            self.live_calls,
            channel=self.channels.open(live.provider, live.hub, live.connection_id, live.stream_id),
            clock=self.clock,
            request=request,
            synthesis=synthesis,
            new_decoder=lambda: self.decoder_of(live, 0),
        )
        await synthesis.restore()
        await speaking.restore(live)
        outcome = await self._say(request, synthesis, speaking)
        said = speaking.heard()
        await self._keep(request, live, speaking)
        return await self._close(request, said, outcome)

    async def _connected(self, request: TurnRequest) -> LiveCall | None:
        """The call once its audio flows, or None if it ended before."""
        live = await self.live_calls.get(request.call_id)
        if live is None or not live.connection_id:
            await Waiting(self.pipes, self.live_calls).first(request.call_id, pipe_names.events(request.call_id))
            live = await self.live_calls.get(request.call_id)
        return live if live and live.connection_id else None

    async def _say(self, request: TurnRequest, synthesis: Synthesis, speaking: Speaking) -> TurnOutcome:
        told = await self.pipes.last(pipe_names.turn(request.call_id, request.turn, pipe_names.CONTROL))
        if told is not None:  # the caller has interrupted before this step was run again
            speaking.stop(float(told.fields[b"at_ms"]))
            return await self._interrupt(request, speaking)
        making = asyncio.create_task(synthesis.run(), name="synthesis")
        playing = asyncio.create_task(speaking.run(), name="playback")
        stopped = asyncio.create_task(Waiting(self.pipes, self.live_calls).stop(request), name="stop")
        marks = asyncio.create_task(speaking.follow_marks(), name="marks")
        try:
            await self._until_sent(making, playing, stopped)
            if not stopped.done():
                await self._until_heard(speaking, stopped)
            if stopped.done():
                stopped.result()
                speaking.stop()
                await playing  # the send in flight ends before anything is cleared
                return await self._interrupt(request, speaking)
            if synthesis.failed:
                return TurnOutcome.FAILED
            return TurnOutcome.COMPLETED if speaking.has_spoken else TurnOutcome.UNHEARD
        except MediaError as error:
            if error.retryable:
                raise  # run again, this step goes on where it stopped
            logger.info("call %s turn %d: the line is gone: %s", request.call_id, request.turn, error.code)
            speaking.stop()
            return TurnOutcome.INTERRUPTED if speaking.has_spoken else TurnOutcome.UNHEARD
        finally:
            tasks = (making, playing, stopped, marks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _interrupt(self, request: TurnRequest, speaking: Speaking) -> TurnOutcome:
        if not speaking.has_spoken:
            return TurnOutcome.UNHEARD
        try:
            await speaking.channel.clear()
        except MediaError as error:
            logger.info("call %s turn %d: not cleared: %s", request.call_id, request.turn, error.code)
        await self.live_calls.note_once(request.call_id, request.turn, Moment.INTERRUPTED, speaking.stopped_at_ms)
        return TurnOutcome.INTERRUPTED

    async def _until_sent(
        self, making: asyncio.Task[None], playing: asyncio.Task[None], stopped: asyncio.Task[None]
    ) -> None:
        """Until everything is made and sent, or the caller interrupts. Raises what making or playing raised."""
        pending: set[asyncio.Task[None]] = {making, playing}
        while pending and not stopped.done():
            done, _ = await asyncio.wait({*pending, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & pending:
                task.result()
            pending -= done

    async def _until_heard(self, speaking: Speaking, stopped: asyncio.Task[None]) -> None:
        """Until the caller has heard everything, or interrupts."""
        while not speaking.is_heard(_MARK_GRACE_MS) and not stopped.done():
            await asyncio.wait({stopped}, timeout=0.02)

    async def _close(self, request: TurnRequest, said: str, outcome: TurnOutcome) -> TurnOutcome:
        """Write what was heard into the journal, and tell the next turn that it stands there."""
        entries: dict[str, str | float] = {"said": said, "outcome": outcome}
        if said:
            entries[Moment.PLAYBACK_ENDED] = self.clock.now_ms()
        await self.live_calls.note(request.call_id, request.turn, entries)
        await self._tell(request, said, outcome)
        return outcome

    async def _tell(self, request: TurnRequest, said: str, outcome: str) -> str:
        spoken = pipe_names.turn(request.call_id, request.turn, pipe_names.SPOKEN)
        await self.pipes.append(spoken, {"said": said, "outcome": outcome}, position="1-0")
        # Nobody asks for this sound again, and a long call has more of it than the pipes' server has memory.
        await self.pipes.trim(
            pipe_names.turn(request.call_id, request.turn, pipe_names.AUDIO), pipe_names.END_POSITION
        )
        return outcome

    async def _keep(self, request: TurnRequest, live: LiveCall, speaking: Speaking) -> None:
        """What sounded, for the recording, at its place on the stream's time line."""
        for from_ms, pcm in speaking.runs():
            at_ms = max(0, int(from_ms - live.started_ms))
            await SoundPieces(self.files).keep(request, "agent", at_ms, pcm)
