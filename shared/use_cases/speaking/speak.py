"""The third step of a turn: from sentences to sound in the caller's ear, each sent while it is being made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from shared.domain import pipe_names, voices
from shared.domain.call import Agent, TurnOutcome
from shared.domain.errors import StoreError
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
from shared.use_cases.fencing import FencedPipes, fenced
from shared.use_cases.languages import call_language, spoken_agent
from shared.use_cases.running import agent_of
from shared.use_cases.speaking.first_sound import FirstSound
from shared.use_cases.speaking.line_channel import LineChannel
from shared.use_cases.speaking.recovery import Past, Recovery
from shared.use_cases.speaking.remedies import Prepared, PreparedAsSpoken
from shared.use_cases.speaking.sending import AudioKeeping, Sending
from shared.use_cases.speaking.speaking import Speaking, SpeakingParts
from shared.use_cases.speaking.speaking_notes import SpeakingNotes
from shared.use_cases.speaking.synthesis import Voice
from shared.use_cases.waiting import Waiting

logger = logging.getLogger(__name__)

_KEPT_WITHIN_S = 0.3


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
    prepared: Prepared

    async def __call__(
        self, request: TurnRequest, on_first_sound: Callable[[], Awaitable[None]] | None = None
    ) -> str:
        """Say the turn's answer; gives the outcome. Run again after a crash, it goes on where it stopped.

        `on_first_sound` is told, beside all else, when the first sound has gone out or none will; should it fail,
        that is a line in the log.
        """
        first_sound = FirstSound(request, on_first_sound)
        deed = partial(self._speak, request, first_sound)
        outcome = await fenced(self.pipes, self.live_calls, request, pipe_names.SPEAK_EPOCH, deed)
        await first_sound.close()
        return outcome

    async def _speak(
        self, request: TurnRequest, first_sound: FirstSound, pipes: FencedPipes, journal: dict[str, str]
    ) -> str:
        notes = SpeakingNotes(pipes, self.live_calls, request, journal)
        if "outcome" in journal:
            return await notes.over(journal.get("said", ""), journal["outcome"])
        live = await Waiting(self.pipes, self.live_calls).connected(request.call_id)
        if live is None:
            return await self._close(notes, "", TurnOutcome.UNHEARD, {})
        agent = await agent_of(self.directory, live)
        if not request.turn:
            self.prepared.prepare(agent)
        past = await Recovery(pipes, self.clock, request, live, new_decoder=lambda: self.decoder_of(live, 0)).past()
        if past.playback.newest:
            first_sound.tell()
        if (last := past.playback.last_of_answer) is not None:
            notes.shown = last.piece.sentence
        parts = self._parts(request, pipes, live, agent, past, notes=notes, first_sound=first_sound)
        speaking = Speaking(parts, request, agent, past, journal)
        outcome = await speaking.run()
        # In the recording it is before it is over, but who is to talk next does not wait for a store that is slow.
        keeping = asyncio.create_task(notes.keep_sound(self.files, live, past.playback), name="keep sound")
        try:
            await asyncio.wait({keeping}, timeout=_KEPT_WITHIN_S)
            ended = await self._end(request, notes, speaking, outcome)
            await keeping
            return ended
        finally:
            keeping.cancel()

    async def _end(self, request: TurnRequest, notes: SpeakingNotes, speaking: Speaking, outcome: TurnOutcome) -> str:
        if speaking.is_stopped:  # perhaps because somebody else has ended the turn
            journal = await self.live_calls.journal(request.call_id, request.turn)
            if "outcome" in journal:
                return await notes.over(journal.get("said", ""), journal["outcome"])
        moments = dict(speaking.interruption)
        if speaking.said:
            moments[Moment.PLAYBACK_ENDED] = self.clock.now_ms()
        return await self._close(notes, speaking.said, outcome, moments)

    def _parts(
        self,
        request: TurnRequest,
        pipes: FencedPipes,
        live: LiveCall,
        agent: Agent,
        past: Past,
        *,
        notes: SpeakingNotes,
        first_sound: FirstSound,
    ) -> SpeakingParts:
        keeping = AudioKeeping(pipes, request, len(past.pieces))
        return SpeakingParts(
            pipes=pipes,
            waiting=Waiting(self.pipes, self.live_calls),
            clock=self.clock,
            voice=self._voice(request, agent),
            sending=Sending(
                pipes,
                self.clock,
                request,
                channel=LineChannel(self.channels, self.live_calls, self.clock, live),
                playback=past.playback,
                keeping=keeping,
                on_first_sound=first_sound.tell,
            ),
            keeping=keeping,
            notes=notes,
            prepared=PreparedAsSpoken(
                self.prepared, partial(spoken_agent, self.live_calls, request.call_id, request.turn)
            ),
        )

    def _voice(self, request: TurnRequest, agent: Agent) -> Voice:
        async def in_language() -> str:
            try:
                language = await call_language(self.live_calls, request.call_id, request.turn, agent)
            except StoreError:
                language = agent.language
            return voices.in_language(agent.voice, language)

        return Voice(
            self.text_to_speech,
            self.clock,
            request.call_id,
            voices.in_language(agent.voice, agent.language),
            agent.manner.race_after_ms,
            in_language if agent.manner.languages and request.turn else None,
        )

    async def _close(self, notes: SpeakingNotes, said: str, outcome: TurnOutcome, moments: dict[str, float]) -> str:
        """Write what was heard into the journal, and tell the next turn that it stands there."""
        await notes.closed({"said": said, "outcome": outcome, **moments})
        return await notes.over(said, outcome)
