"""A provider's ear and voice for tests: hears what it is told to, and speaks tones as long as the words."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_stack.phones import g711
from local_stack.phones.provider_speech import ProviderSpeech, SpeechTrouble
from tests.local_stack.phones.twilio.voice_app import tone

MS_A_WORD = 200


@dataclass(frozen=True)
class ToneSpeech(ProviderSpeech):
    """`words` are heard one after the other, then always the last."""

    speech_url: str = "http://localhost:1"
    words: list[str] = field(default_factory=lambda: ["which folder"])
    heard: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    is_broken: bool = False

    async def hear_line(self, ulaw_8k: bytes, language: str = "") -> str:
        if self.is_broken:
            raise SpeechTrouble("the provider's ear is deaf")
        self.heard.append(len(ulaw_8k) * 1000 // g711.SAMPLE_RATE_HZ)
        return self.words[min(len(self.heard), len(self.words)) - 1]

    async def say_to_line(self, text: str) -> bytes:
        if self.is_broken:
            raise SpeechTrouble("the provider's voice is dumb")
        self.said.append(text)
        return g711.encode(tone(len(text.split()) * MS_A_WORD / 1000))
