"""The first step of a turn: from the caller's frames to the words, and the moment when the turn is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from shared.domain import pipe_names
from shared.domain.call import Agent, EndReason
from shared.domain.errors import SpeechToTextError
from shared.domain.language_switch import LANGUAGE
from shared.domain.ledger import Moment
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver
from shared.domain.steps import TurnRequest
from shared.domain.turn_tuning import Tuning
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
from shared.use_cases.calls.sound_pieces import SoundPieces
from shared.use_cases.hearing.agent_sound import AgentSound
from shared.use_cases.hearing.caller_turn import CallerTurn
from shared.use_cases.hearing.interrupting import Interrupting
from shared.use_cases.hearing.listening import Listening
from shared.use_cases.hearing.listening_end import end_listening, has_listened, tell_watch, watched_ms
from shared.use_cases.hearing.take_writing import TakeWriting
from shared.use_cases.languages import AUTO, hearing_language, language_entries
from shared.use_cases.running import running
from shared.use_cases.screens import show
from shared.use_cases.switch_language import SwitchLanguage
from shared.use_cases.waiting import Waiting

logger = logging.getLogger(__name__)


Carry = Callable[[TurnRequest, LiveCall, Agent, Orchestrations], Awaitable[str | None]]
"""Has somebody else's agent lead the conversation; None where that does not come."""


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
    hand_over: Callable[[str, HandOver], Awaitable[None]]
    carry: Carry | None = None
    switch_language: SwitchLanguage | None = None

    async def __call__(self, request: TurnRequest, orchestrations: Orchestrations) -> str:
        """Listen until this turn is over; gives "" or the reason for which the call has ended.

        Hands its place in the frames on to the next listening, and the words down the transcript pipe. May be
        run again after a crash: it begins at the same frame and writes the same.
        """
        result = await self._hear(request, orchestrations)
        await has_listened(self.pipes, request)
        return result

    async def _hear(self, request: TurnRequest, orchestrations: Orchestrations) -> str:
        live, agent = await running(self.live_calls, self.directory, request.call_id)
        if agent.manner.delegate is not None and self.carry is not None:
            carried = await self.carry(request, live, agent, orchestrations)
            if carried is not None:
                return carried
        interrupting = Interrupting(self.pipes, self.live_calls, request, may=agent.interruptible)
        place = await self._place(request)
        if place is None:
            await tell_watch(request, orchestrations, 0)
            return await self._end(request, interrupting, EndReason.CALLER_HUNG_UP)
        after, _ = place
        own, spoken = agent, await hearing_language(self.live_calls, request.call_id, request.turn, agent)
        agent = replace(agent, language=spoken[0])
        listening = self._listening(request, live, agent, place, hears=spoken[1])
        writing = TakeWriting(self.pipes, request, speculates=agent.manner.speculates)
        await asyncio.gather(writing.restore(), interrupting.restore())
        turn = CallerTurn(
            pipes=self.pipes,
            clock=self.clock,
            request=request,
            agent=agent,
            listening=listening,
            takes=writing,
            interrupting=interrupting,
            on_first_frame=lambda: self._expect_greeting(request, agent, orchestrations),
            announce=lambda: orchestrations.speech_began(request.call_id, request.turn),
            limit_reached=lambda: self._limit_reached(request, agent, listening),
            on_key=lambda key: self._pressed(request, agent, key),
            is_leaving=lambda: self._is_leaving(request),
        )
        idle_s = self.limits.no_media_s if request.turn == 1 else self.limits.stalled_s
        try:
            reason = await turn.run(pipe_names.frames(request.call_id), after, idle_s=idle_s)
            if reason:
                await tell_watch(request, orchestrations, 0)
                if not listening.heard_ms and request.turn == 1:
                    await tell_watch(replace(request, turn=0), orchestrations, 0)
                await self._last_words(request, listening)
                return await self._end(request, interrupting, reason)
            await asyncio.gather(
                tell_watch(request, orchestrations, watched_ms(agent, interrupting)),
                self._hand_on(request, own, spoken, listening, turn),
            )
        finally:
            await self._let_go(request, listening)
        if after != "0-0":
            await self.pipes.trim(pipe_names.frames(request.call_id), after)
        return ""

    def _listening(
        self, request: TurnRequest, live: LiveCall, agent: Agent, place: tuple[str, int], *, hears: str
    ) -> Listening:
        after, from_ms = place
        return Listening(
            ear=self.detector.open(),
            decoder=self.decoder_of(live, from_ms),
            tuning=Tuning.of(
                patience_ms=agent.patience_ms,
                sensitivity=agent.manner.sensitivity,
                speculates=agent.manner.speculates,
                interruptible=agent.interruptible,
                language=agent.language,
                backchannels=agent.manner.backchannels,
                longest_ms=self.limits.longest_speech_ms,
            ),
            open_transcription=lambda: self.speech_to_text.open(
                language=hears,
                call_id=request.call_id,
                late_after_ms=agent.manner.race_after_ms,
            ),
            is_echo=AgentSound(self.pipes, request).is_echo,
            broken_limit=self.limits.broken_frames,
            after=after,
            takes_mulaw=self.speech_to_text.takes_mulaw,
        )

    async def _place(self, request: TurnRequest) -> tuple[str, int] | None:
        """Where in the frames to begin, and the stream's time there; None if the call has ended before."""
        if request.turn == 1:
            return "0-0", 0
        cursor = pipe_names.turn(request.call_id, request.turn, pipe_names.CURSOR)
        entry = await Waiting(self.pipes, self.live_calls).first(request.call_id, cursor)
        if entry is None or b"after" not in entry.fields:
            return None
        return entry.fields[b"after"].decode(), int(entry.fields[b"at_ms"])

    async def _pressed(self, request: TurnRequest, agent: Agent, key: str) -> None:
        rule = agent.manner.hand_over
        if rule is not None and rule.key == key:
            await self.hand_over(request.call_id, rule)

    async def _is_leaving(self, request: TurnRequest) -> bool:
        live = await self.live_calls.get(request.call_id)
        return live is not None and bool(live.leaving) and not live.end_reason

    async def _limit_reached(self, request: TurnRequest, agent: Agent, listening: Listening) -> EndReason | None:
        if listening.stream_ms > self.limits.longest_call_s * 1000:
            return EndReason.TOO_LONG
        return EndReason.SILENT if await self._is_too_quiet(request, agent, listening) else None

    async def _is_too_quiet(self, request: TurnRequest, agent: Agent, listening: Listening) -> bool:
        limit_ms = agent.quiet_limit_ms
        if listening.quiet_ms < limit_ms:
            return False
        before = await self.live_calls.journal(request.call_id, request.turn - 1)
        if "outcome" not in before:
            listening.begin_quiet()  # the agent is still thinking or speaking
            return False
        ended = before.get(Moment.PLAYBACK_ENDED)
        return ended is None or self.clock.now_ms() - float(ended) >= limit_ms

    async def _hand_on(
        self, request: TurnRequest, agent: Agent, spoken: tuple[str, str], listening: Listening, turn: CallerTurn
    ) -> None:
        """Note what was heard, then let the next turn's listening begin, which builds upon it. `spoken`: in which
        language the call was, and what was listened for.
        """
        moments: dict[str, str | float] = {
            Moment.SPEECH_STARTED: listening.speech_started_at_ms,
            Moment.SPEECH_ENDED: listening.speech_ended_at_ms,
            Moment.TURN_ENDED: listening.turn_ended_at_ms,
        }
        if turn.words is not None:
            moments |= {Moment.TRANSCRIPT: turn.words_at_ms, "heard": turn.words}
        told = listening.transcription.language if listening.transcription is not None else ""
        moments |= await language_entries(
            self.live_calls, request.call_id, request.turn, agent, words=turn.words, told=told, is_sure=False
        )
        await asyncio.gather(
            self.live_calls.note(request.call_id, request.turn, moments),
            self.live_calls.count(request.call_id, request.turn, turn.costs),
        )
        cursor = pipe_names.turn(request.call_id, request.turn + 1, pipe_names.CURSOR)
        place = {"after": listening.position, "at_ms": str(listening.stream_ms)}
        await self.pipes.append(cursor, place, position="1-0")
        live = await self.live_calls.get(request.call_id)
        if live is None:
            return
        if turn.words:
            await self._show(live, request, turn.words)
        if self.switch_language is not None and (language := str(moments.get(LANGUAGE, ""))):
            await self.switch_language.follow(live, agent, spoken[0], language)
            if turn.words and not told and spoken[1] == AUTO:
                self.switch_language.identify(live, agent, request.turn, turn.words)

    async def _expect_greeting(self, request: TurnRequest, agent: Agent, orchestrations: Orchestrations) -> None:
        """From the first frame on the caller waits for the greeting, which is turn 0's answer."""
        if request.turn == 1:
            await tell_watch(replace(request, turn=0), orchestrations, watched_ms(agent))

    async def _show(self, live: LiveCall, request: TurnRequest, text: str) -> None:
        if not live.connection_id:
            return
        channel = self.channels.open(live.provider, live.hub, live.connection_id, live.stream_id)
        await show(channel, request.call_id, request.turn, {"type": "heard", "text": text})

    async def _last_words(self, request: TurnRequest, listening: Listening) -> None:
        """What the caller said while hanging up belongs in the transcript; nobody will answer it."""
        if listening.transcription is None:
            return
        try:
            text = await listening.transcription.words()
        except SpeechToTextError as error:
            logger.warning("call %s turn %d: not transcribed: %s", request.call_id, request.turn, error)
            return
        if text:
            await self.live_calls.note(request.call_id, request.turn, {"heard": text})

    async def _let_go(self, request: TurnRequest, listening: Listening) -> None:
        """Keep this turn's sound for the recording, at its place on the stream's time line."""
        if listening.transcription is not None:
            await listening.transcription.close()
        if listening.broken_frames:
            number = listening.broken_frames
            logger.warning("call %s turn %d: %d frames held no audio", request.call_id, request.turn, number)
        if listening.pcm:
            for at_ms, pcm in listening.sounds():
                await SoundPieces(self.files).keep(request, "caller", at_ms, pcm)

    async def _end(self, request: TurnRequest, interrupting: Interrupting, reason: EndReason) -> str:
        at_ms = self.clock.now_ms()
        return await end_listening(self.pipes, self.live_calls, request, interrupting, reason=reason, at_ms=at_ms)
