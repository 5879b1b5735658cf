"""What happens on the line during a relay session: words made into sound and back, and who cuts off whom."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from local_stack.phones import tones
from local_stack.phones.floor import AGENT_SPEAKS, CALLER_SPEAKS, UNKNOWN, Floor
from local_stack.phones.provider_ear import HeardSpeech, ProviderEar
from local_stack.phones.provider_speech import SpeechTrouble
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.relay_messages import (
    PlaySound,
    RelayMessage,
    SendDigits,
    SwitchLanguage,
    Text,
    written,
)
from local_stack.phones.twilio.stage import Stage
from local_stack.phones.twilio.verbs import Relay

_AUTO_SILENCE_MS: Final = 600
_SPEECH_THAT_CUTS_MS: Final = {"high": 80, "medium": 250, "low": 500}
_BACKCHANNEL_MS: Final = 700
"""What is shorter is a sign of listening, where the app wants such signs to be passed over."""
_SENTENCE_END: Final = re.compile(r"(?<=[.!?:;।])\s+")
_LONGEST_WAITING_CHARS: Final = 160


@dataclass
class _Answer:
    """What the agent is saying now."""

    interruptible: str
    """none, dtmf, speech or any."""
    text: str = ""
    """What has come and is not yet a sentence."""
    is_whole: bool = False
    """What comes next is another answer."""


class RelayDialogue:
    """Stepped with every tick of the line. `send` takes a message to the app."""

    def __init__(self, stage: Stage, verb: Relay, send: Callable[[str], None]) -> None:
        self._stage = stage
        self._verb = verb
        self._send = send
        self._line = stage.line
        self._voice = stage.voice()
        self._ear = ProviderEar(verb.speech_timeout_ms or _AUTO_SILENCE_MS)
        self._answer = _Answer(verb.interruptible)
        self._language, self._tts_language = verb.transcription_language, verb.language
        self._hearing: asyncio.Task[None] | None = None
        self._fetching: set[asyncio.Task[None]] = set()
        self._prompts = 0
        self._agent_speaks = self._client_speaks = False
        self._is_amid_answer = False
        self._line.listeners.append(self._ear.take)

    @property
    def is_amid_first_reply(self) -> bool:
        return self._prompts > 0 and self._agent_speaks

    def greet(self) -> None:
        if self._verb.welcome_greeting:
            self._answer = _Answer(self._verb.welcome_interruptible, is_whole=True)
            self._voice.say(self._verb.welcome_greeting)

    def take(self, message: RelayMessage) -> None:
        """Carries out what the app has sent."""
        match message:
            case Text():
                self._take_text(message)
            case PlaySound(source, loop, interruptible):
                self._set_interruptible(interruptible)
                task = asyncio.create_task(self._play(source, loop))
                self._fetching.add(task)
                task.add_done_callback(self._fetching.discard)
            case SendDigits(digits):
                self._stage.log.add("keys_sent", digits=digits)
                self._voice.play(tones.keys(digits))
            case SwitchLanguage(tts_language, transcription_language):
                self._language = transcription_language or self._language
                self._tts_language = tts_language or self._tts_language
                self._stage.log.add("language_switched", language=self._language, tts_language=self._tts_language)

    def _take_text(self, message: Text) -> None:
        """Whole sentences are made into sound as soon as they are there, the rest with the last token."""
        if self._answer.is_whole:
            self._answer = _Answer(self._verb.interruptible)
        self._set_interruptible(message.interruptible)
        answer = self._answer
        answer.is_whole = message.last
        self._is_amid_answer = not message.last
        answer.text += message.token
        *sentences, rest = _SENTENCE_END.split(answer.text)
        if message.last or len(rest) > _LONGEST_WAITING_CHARS:
            sentences, rest = [*sentences, rest], ""
        answer.text = rest
        for sentence in sentences:
            self._voice.say(sentence, message.lang or self._tts_language)

    def _set_interruptible(self, wanted: bool | None) -> None:
        if wanted is not None:
            self._answer.interruptible = "any" if wanted else "none"

    async def _play(self, source: str, loop: int) -> None:
        try:
            self._voice.play(await self._stage.sound_at(source) * (loop or 20))
        except CarrierFault as fault:
            self._stage.note(fault)

    async def take_tick(self) -> None:
        """Looks what has changed on the line in the last 20 ms."""
        self._line.floor = self._floor()
        self._tell_who_speaks()
        if self._is_cut_off_by_speech():
            await self._cut_off()
        while self._ear.digits:
            await self._take_digit(self._ear.digits.popleft())
        if self._ear.speech and self._hearing is None:
            self._hearing = asyncio.create_task(self._hear(self._ear.speech.popleft()))

    def _floor(self) -> Floor:
        """An answer whose last token has not come is not over, however long nothing is heard of it."""
        return AGENT_SPEAKS if self._voice.is_busy or self._is_amid_answer else CALLER_SPEAKS

    def _is_cut_off_by_speech(self) -> bool:
        since_ms = self._ear.speaking_since_ms
        if since_ms is None or not self._voice.is_busy or self._answer.interruptible not in ("any", "speech"):
            return False
        needed_ms = _SPEECH_THAT_CUTS_MS[self._verb.interrupt_sensitivity]
        if self._verb.ignore_backchannel:
            needed_ms = max(needed_ms, _BACKCHANNEL_MS)
        return self._line.now_ms() - since_ms >= needed_ms

    async def _cut_off(self) -> None:
        was_heard = self._voice.is_heard
        cut = await self._voice.stop()
        self._answer = _Answer(self._verb.interruptible)
        self._is_amid_answer = False
        if not was_heard:
            return
        self._stage.log.add("relay_interrupted", heard=cut.heard, heard_ms=cut.heard_ms)
        self._send(
            written(type="interrupt", utteranceUntilInterrupt=cut.heard, durationUntilInterruptMs=cut.heard_ms)
        )

    async def _take_digit(self, digit: str) -> None:
        if self._voice.is_heard and self._answer.interruptible in ("any", "dtmf"):
            await self._cut_off()
        if self._verb.dtmf_detection:
            self._send(written(type="dtmf", digit=digit))

    async def _hear(self, speech: HeardSpeech) -> None:
        """What the caller said becomes a prompt, unless it came while the agent could not be cut off."""
        try:
            is_unwanted = self._voice.is_heard and self._verb.reports_during_speech not in ("any", "speech")
            is_short = speech.ended_ms - speech.started_ms < _BACKCHANNEL_MS
            if is_unwanted or (self._verb.ignore_backchannel and is_short and self._voice.is_heard):
                return
            words = await self._stage.context.carrier.speech.hear_line(speech.ulaw_8k, self._language)
            if not words:
                return
            self._line.note_words(words)
            self._prompts += 1
            self._voice.begin_answer()
            language = self._stage.context.options.language or self._language
            self._send(written(type="prompt", voicePrompt=words, lang=language, last=True))
        except SpeechTrouble as trouble:
            self._stage.log.add("provider_trouble", message=str(trouble))
        finally:
            self._hearing = None

    def _tell_who_speaks(self) -> None:
        agent, client = self._voice.is_heard, self._ear.speaking_since_ms is not None
        if agent != self._agent_speaks:
            self._agent_speaks = agent
            self._inform("agentSpeaking", agent)
            if not agent and "tokens-played" in self._verb.events:
                played = self._line.conversation.turn.spoken or ""
                self._send(written(type="info", name="tokensPlayed", value=played))
        if client != self._client_speaks:
            self._client_speaks = client
            self._inform("clientSpeaking", client)

    def _inform(self, name: str, value: bool) -> None:
        if "speaker-events" in self._verb.events:
            now_ms = round(self._line.now_ms())
            self._send(written(type="info", name=name, value="on" if value else "off", ts=now_ms))

    async def close(self) -> None:
        """The line is free again."""
        self._line.floor = UNKNOWN
        self._line.listeners.remove(self._ear.take)
        tasks = [*self._fetching, *([self._hearing] if self._hearing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._voice.stop()
