"""Speech and language by script: each answers what it was told to, in order, and notes what it was asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np

from shared.domain.audio import BYTES_PER_MS, samples_of
from shared.domain.errors import LanguageModelError, SpeechToTextError, TextToSpeechError
from shared.ports.clock import Clock
from shared.ports.language_model import Message


class FakeSpeechToText:
    """Fills the port `SpeechToText`. A script of texts and errors; `heard` keeps the sound it was given."""

    def __init__(self, *script: str | SpeechToTextError) -> None:
        self.heard: list[bytes] = []
        self.languages: list[str] = []
        self._script = list(script)

    async def transcribe(self, pcm: bytes, *, language: str, call_id: str) -> str:
        self.heard.append(pcm)
        self.languages.append(language)
        assert self._script, "nothing more should be transcribed"
        answer = self._script.pop(0)
        if isinstance(answer, SpeechToTextError):
            raise answer
        return answer

    async def ping(self) -> None:
        """Always ready."""

    def assert_complete(self) -> None:
        assert not self._script, f"never transcribed: {self._script}"


@dataclass
class Answer:
    """Tokens, each `token_ms` after the one before; then `error`, if any. `stall_ms` comes before the first."""

    tokens: Sequence[str]
    token_ms: float = 10.0
    stall_ms: float = 0.0
    error: LanguageModelError | None = None


class FakeLanguageModel:
    """Fills the port `LanguageModel`. `given` counts the tokens that were taken of each answer."""

    def __init__(self, clock: Clock, *script: Answer) -> None:
        self.asked: list[list[Message]] = []
        self.given: list[int] = []
        self.cancelled = 0
        self._clock = clock
        self._script = list(script)

    async def answer(self, messages: Sequence[Message], *, call_id: str) -> AsyncGenerator[str, None]:
        assert self._script, "the model should not be asked again"
        answer = self._script.pop(0)
        self.asked.append(list(messages))
        self.given.append(0)
        complete = False
        try:
            await self._clock.sleep_ms(answer.stall_ms)
            for token in answer.tokens:
                await self._clock.sleep_ms(answer.token_ms)
                self.given[-1] += 1
                yield token
            complete = True
            if answer.error:
                raise answer.error
        finally:
            self.cancelled += not complete

    def assert_complete(self) -> None:
        assert not self._script, f"never asked for: {self._script}"


class FakeTextToSpeech:
    """Fills the port `TextToSpeech`: a level that tells the sentence, `ms_per_character` long, in pieces, after
    `silence_ms` of silence as voices have it.

    `errors` maps a sentence to the error that comes after `error_after_ms` of its sound.
    """

    def __init__(
        self, clock: Clock, *, ms_per_character: int = 50, piece_ms: int = 100, delay_ms: float = 5.0
    ) -> None:
        self.said: list[str] = []
        self.voices: list[str] = []
        self.errors: dict[str, TextToSpeechError] = {}
        self.error_after_ms = 0
        self.delay_ms = delay_ms
        self.silence_ms = 0
        self._clock = clock
        self._ms_per_character = ms_per_character
        self._piece_ms = piece_ms

    def sound_of(self, text: str) -> bytes:
        level = sum(text.encode()) % 30_000 + 1
        return np.full(len(text) * self._ms_per_character * 16, level, dtype="<i2").tobytes()

    async def synthesize(self, text: str, *, voice: str, call_id: str) -> AsyncGenerator[bytes, None]:
        self.said.append(text)
        self.voices.append(voice)
        sound, error = bytes(self.silence_ms * BYTES_PER_MS) + self.sound_of(text), self.errors.get(text)
        if error:
            sound = sound[: self.error_after_ms * BYTES_PER_MS]
        for start in range(0, len(sound), self._piece_ms * BYTES_PER_MS):
            await self._clock.sleep_ms(self.delay_ms)
            yield sound[start : start + self._piece_ms * BYTES_PER_MS]
        if error:
            raise error


@dataclass
class FakeVoiceActivity:
    """Fills the port `VoiceActivity`: what is loud is speech."""

    full_scale: float = 3000.0
    chunks: int = field(default=0)

    async def probability(self, pcm: bytes) -> float:
        assert len(pcm) == 32 * BYTES_PER_MS
        self.chunks += 1
        return float(min(1.0, np.abs(samples_of(pcm).astype(float)).mean() / self.full_scale))


class FakeVoiceActivityDetector:
    """Fills the port `VoiceActivityDetector`."""

    def open(self) -> FakeVoiceActivity:
        return FakeVoiceActivity()
