"""The `input` action: what the caller says or presses, heard while an answer may still be spoken."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from local_stack.phones.floor import AGENT_SPEAKS, while_listening
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.provider_ear import HeardSpeech, ProviderEar
from local_stack.phones.provider_speech import ProviderSpeech, SpeechTrouble
from local_stack.phones.provider_voice import ProviderVoice
from local_stack.phones.vonage.ncco import Input

_CONFIDENCE: Final = "0.93"


class Hearing:
    """Listens on one line; `result` is what Vonage posts."""

    def __init__(self, line: PhoneLine, voice: ProviderVoice, ear: ProviderEar, speech: ProviderSpeech) -> None:
        self._line = line
        self._voice = voice
        self._ear = ear
        self._speech = speech
        self._keys = ""

    async def result(self, action: Input) -> dict[str, Any]:
        """`speech` and `dtmf` of the event. Raises: LineOver, LineCut."""
        ear = self._ear
        self._line.log.add("provider_listens", language=action.language)
        ear.end_silence_ms = round(action.end_on_silence_s * 1000)
        ear.longest_ms = round(action.longest_s * 1000)
        self._keys = ""
        quiet_since_ms, pressed_ms = self._line.now_ms(), 0.0
        while True:
            self._line.floor = AGENT_SPEAKS if self._voice.is_busy else while_listening(action.start_timeout_s)
            frame = await self._line.tick()
            if self._voice.is_busy:
                quiet_since_ms = frame.at_ms
                if ear.digits or (action.wants_speech and ear.speaking_since_ms is not None):
                    await self._voice.stop()
            while ear.digits:
                self._keys, pressed_ms = self._keys + ear.digits.popleft(), frame.at_ms
            if action.wants_keys and self._keys and self._are_complete(action, frame.at_ms - pressed_ms):
                return self._pressed(timed_out=False)
            if action.wants_speech and ear.speech and not self._keys:
                return await self._heard(ear.speech.popleft(), action)
            is_quiet = ear.speaking_since_ms is None and not ear.speech and not self._keys
            if is_quiet and frame.at_ms - quiet_since_ms >= action.start_timeout_s * 1000:
                return self._nothing(action)

    def _are_complete(self, action: Input, since_ms: float) -> bool:
        enough = len(self._keys) >= action.most_keys or (action.submit_on_hash and self._keys.endswith("#"))
        return enough or since_ms >= action.keys_timeout_s * 1000

    async def _heard(self, heard: HeardSpeech, action: Input) -> dict[str, Any]:
        """While the words are being made out, time passes on the line."""
        hearing = asyncio.create_task(self._speech.hear_line(heard.ulaw_8k, action.language.partition("-")[0]))
        try:
            await self._line.until(hearing.done)
        finally:
            hearing.cancel()
        try:
            text = await hearing
        except SpeechTrouble as trouble:
            self._line.log.add("provider_trouble", message=str(trouble))
            return self._without_words("Speech could not be recognised")
        turn = self._line.conversation.turn
        turn.understood = text
        self._line.log.add("provider_heard", turn=turn.number, text=text)
        results = [{"text": text, "confidence": _CONFIDENCE}] if text else []
        speech = {"timeout_reason": "end_on_silence_timeout", "results": results}
        return {"speech": speech, "dtmf": {"digits": None, "timed_out": False}}

    def _pressed(self, *, timed_out: bool) -> dict[str, Any]:
        keys = self._keys.removesuffix("#")
        return {"speech": {"results": []}, "dtmf": {"digits": keys, "timed_out": timed_out}}

    def _nothing(self, action: Input) -> dict[str, Any]:
        speech = {"timeout_reason": "start_timeout", "results": []} if action.wants_speech else {"results": []}
        return {"speech": speech, "dtmf": {"digits": None, "timed_out": True}}

    def _without_words(self, error: str) -> dict[str, Any]:
        return {"speech": {"error": error}, "dtmf": {"digits": None, "timed_out": False}}
