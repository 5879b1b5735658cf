"""The first step of a turn: from the caller's frames to the words, and the moment when the turn is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.call import Agent, EndReason
from shared.domain.errors import MediaError, NotFound, SpeechToTextError
from shared.domain.ledger import Moment
from shared.domain.limits import CallLimits
from shared.domain.steps import TurnRequest
from shared.domain.turn_taking import Patience, SpeechStarted, TurnEnded
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.media_channel import MediaChannels
from shared.ports.media_codec import FrameDecoder
from shared.ports.orchestrations import Orchestrations
from shared.ports.pipes import Pipes
from shared.ports.speech_to_text import SpeechToText
from shared.ports.voice_activity import VoiceActivityDetector
from shared.use_cases.listening import Listening
from shared.use_cases.sound_pieces import SoundPieces
from shared.use_cases.waiting import Waiting

logger = logging.getLogger(__name__)

FAILED = "failed"
_PRE_ROLL_MS = 320
_POST_ROLL_MS = 160


@dataclass(frozen=True, slots=True)
class Hear:
    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    detector: VoiceActivityDetector
    speech_to_text: SpeechToText
    decoder_of: Callable[[LiveCall, int], FrameDecoder]
    channels: MediaChannels
    files: FileStore
    clock: Clock
    limits: CallLimits

    async def __call__(self, request: TurnRequest, orchestrations: Orchestrations) -> str:
        """Listen until this turn is over; gives "" or the reason for which the call has ended.

        Hands its place in the frames on to the next listening, and the words down the transcript pipe. May be
        run again after a crash: it begins at the same frame and writes the same.
        """
        result = await self._hear(request, orchestrations)
        # This step writes nothing more: the call's records may be kept now, and its pipes removed.
        listened = pipe_names.turn(request.call_id, request.turn, pipe_names.LISTENED)
        await self.pipes.append(listened, {"event": "end"}, position="1-0")
        return result

    async def _hear(self, request: TurnRequest, orchestrations: Orchestrations) -> str:
        live = await self.live_calls.get(request.call_id)
        if live is None:
            raise NotFound("call_unknown", "the call is not running")
        agent = await self.directory.agent(live.tenant_id, live.agent_id)
        if agent is None:
            raise NotFound("agent_unknown", "the call's agent is gone")
        place = await self._place(request)
        if place is None:
            return await self._end(request, EndReason.CALLER_HUNG_UP)
        after, from_ms = place
        listening = Listening(
            ear=self.detector.open(),
            decoder=self.decoder_of(live, from_ms),
            patience=Patience(patience_ms=agent.patience_ms, longest_ms=self.limits.longest_speech_ms),
            broken_limit=self.limits.broken_frames,
        )
        reason = await self._listen(request, agent, listening, after, orchestrations)
        if listening.broken_frames:
            number = listening.broken_frames
            logger.warning("call %s turn %d: %d frames held no audio", request.call_id, request.turn, number)
        if reason:
            await self._keep(request, listening)
            await self._last_words(request, agent, listening)
            return await self._end(request, reason)
        await self._hand_on(request, listening)
        await self._transcribe(request, agent, listening)
        await self._keep(request, listening)
        if after != "0-0":
            await self.pipes.trim(pipe_names.frames(request.call_id), after)
        return ""

    async def _place(self, request: TurnRequest) -> tuple[str, int] | None:
        """Where in the frames to begin, and the stream's time there; None if the call has ended before."""
        if request.turn == 1:
            return "0-0", 0
        cursor = pipe_names.turn(request.call_id, request.turn, pipe_names.CURSOR)
        entry = await Waiting(self.pipes, self.live_calls).first(request.call_id, cursor)
        if entry is None or b"after" not in entry.fields:
            return None
        return entry.fields[b"after"].decode(), int(entry.fields[b"at_ms"])

    async def _listen(
        self,
        request: TurnRequest,
        agent: Agent,
        listening: Listening,
        after: str,
        orchestrations: Orchestrations,
    ) -> EndReason | None:
        """Feed frames until the turn ends (None) or the call does."""
        frames = pipe_names.frames(request.call_id)
        idle_s = self.limits.no_media_s if request.turn == 1 else self.limits.stalled_s
        async with aclosing(self.pipes.follow(frames, after, idle_s=idle_s)) as batches:
            async for batch in batches:
                if not batch:
                    return EndReason.CALLER_HUNG_UP if listening.heard_ms else EndReason.NO_MEDIA
                for entry in batch:
                    if entry.fields.get(b"event") == b"end":
                        return EndReason(entry.fields[b"reason"].decode())
                    if b"d" not in entry.fields:
                        continue
                    try:
                        events = await listening.take(entry)
                    except MediaError as error:
                        logger.warning("call %s turn %d: %s", request.call_id, request.turn, error)
                        return EndReason.ERROR
                    for event in events:
                        if isinstance(event, SpeechStarted):
                            await self._speech_started(request, agent, listening, orchestrations)
                        elif isinstance(event, TurnEnded):
                            return None
                if reason := await self._limit_reached(request, agent, listening):
                    return reason
        return EndReason.CALLER_HUNG_UP

    async def _limit_reached(self, request: TurnRequest, agent: Agent, listening: Listening) -> EndReason | None:
        if listening.stream_ms > self.limits.longest_call_s * 1000:
            return EndReason.TOO_LONG
        return EndReason.SILENT if await self._is_too_quiet(request, agent, listening) else None

    async def _speech_started(
        self, request: TurnRequest, agent: Agent, listening: Listening, orchestrations: Orchestrations
    ) -> None:
        """Silence the agent, then let the orchestration arm the next turn."""
        if agent.interruptible:
            control = pipe_names.turn(request.call_id, request.turn - 1, pipe_names.CONTROL)
            await self.pipes.append(control, self._stop(), position="1-0")
        await orchestrations.speech_began(request.call_id, request.turn)
        await self.live_calls.note(
            request.call_id, request.turn, {Moment.SPEECH_STARTED: listening.speech_started_at_ms}
        )

    def _stop(self) -> dict[str, bytes | str]:
        return {"event": "stop", "at_ms": repr(self.clock.now_ms())}

    async def _is_too_quiet(self, request: TurnRequest, agent: Agent, listening: Listening) -> bool:
        limit_ms = agent.silence_limit_s * 1000
        if listening.quiet_ms < limit_ms:
            return False
        before = await self.live_calls.journal(request.call_id, request.turn - 1)
        if "outcome" not in before:
            listening.begin_quiet()  # the agent is still thinking or speaking
            return False
        ended = before.get(Moment.PLAYBACK_ENDED)
        return ended is None or self.clock.now_ms() - float(ended) >= limit_ms

    async def _hand_on(self, request: TurnRequest, listening: Listening) -> None:
        cursor = pipe_names.turn(request.call_id, request.turn + 1, pipe_names.CURSOR)
        place = {"after": listening.position, "at_ms": str(listening.stream_ms)}
        await self.pipes.append(cursor, place, position="1-0")

    async def _transcribe(self, request: TurnRequest, agent: Agent, listening: Listening) -> None:
        transcript = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
        moments: dict[str, float] = {
            Moment.SPEECH_ENDED: listening.speech_ended_at_ms,
            Moment.TURN_ENDED: listening.turn_ended_at_ms,
        }
        try:
            text = await self.speech_to_text.transcribe(
                listening.speech(_PRE_ROLL_MS, _POST_ROLL_MS),
                language=agent.language,
                call_id=request.call_id,
            )
        except SpeechToTextError as error:
            logger.warning("call %s turn %d: not transcribed: %s", request.call_id, request.turn, error)
            await self.pipes.append(transcript, {"event": FAILED}, position="1-0")
            await self.live_calls.note(request.call_id, request.turn, moments)
            return
        moments[Moment.TRANSCRIPT] = self.clock.now_ms()
        await self.pipes.append(transcript, {"text": text}, position="1-0")
        await self.live_calls.note(request.call_id, request.turn, {**moments, "heard": text})
        await self._show(request, text)

    async def _show(self, request: TurnRequest, text: str) -> None:
        live = await self.live_calls.get(request.call_id)
        if live is None or not live.connection_id:
            return
        channel = self.channels.open(live.provider, live.hub, live.connection_id, live.stream_id)
        try:
            await channel.show({"type": "heard", "turn": request.turn, "text": text})
        except MediaError as error:
            logger.info("call %s turn %d: not shown: %s", request.call_id, request.turn, error.code)

    async def _last_words(self, request: TurnRequest, agent: Agent, listening: Listening) -> None:
        """What the caller said while hanging up belongs in the transcript; nobody will answer it."""
        speech = listening.speech(_PRE_ROLL_MS, _POST_ROLL_MS)
        if len(speech) < 2 * _PRE_ROLL_MS * BYTES_PER_MS:
            return
        try:
            text = await self.speech_to_text.transcribe(speech, language=agent.language, call_id=request.call_id)
        except SpeechToTextError as error:
            logger.warning("call %s turn %d: not transcribed: %s", request.call_id, request.turn, error)
            return
        if text:
            await self.live_calls.note(request.call_id, request.turn, {"heard": text})

    async def _keep(self, request: TurnRequest, listening: Listening) -> None:
        """This turn's sound for the recording, at its place on the stream's time line."""
        if listening.pcm:
            await SoundPieces(self.files).keep(request, "caller", listening.began_ms, bytes(listening.pcm))

    async def _end(self, request: TurnRequest, reason: EndReason) -> str:
        await self.live_calls.end(request.call_id, reason)
        known = await self.live_calls.get(request.call_id)
        stop = pipe_names.turn(request.call_id, request.turn - 1, pipe_names.CONTROL)
        await self.pipes.append(stop, self._stop(), position="1-0")
        for turn, pipe in ((request.turn, pipe_names.TRANSCRIPT), (request.turn + 1, pipe_names.CURSOR)):
            await self.pipes.append(pipe_names.turn(request.call_id, turn, pipe), {"event": "end"}, position="1-0")
        return known.end_reason if known and known.end_reason else str(reason)
