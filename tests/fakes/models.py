"""Speech and language by script: each answers what it was told to, in order, and notes what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np

from shared.domain.audio import BYTES_PER_MS, samples_of
from shared.domain.errors import LanguageModelError, SpeechToTextError, TextToSpeechError
from shared.ports.clock import Clock
from shared.ports.language_model import PLAIN, Message, ToolCall, Usage, Wish


class FakeSpeechToText:
    """Fills the port `SpeechToText`. The script holds what each asking for words gives in turn: all the words since
    the hearing was opened, cut or not; what nothing was fed for is answered from memory and asks for nothing.

    `heard` keeps the sound that each asking covered (since the last cut), also of those that failed or were
    cancelled; `cancelled` counts the latter, `closed` the hearings that were closed.
    """

    takes_mulaw = False
    """Told otherwise, it keeps in `mulaw` what comes so."""

    def __init__(self, *script: str | SpeechToTextError, delay_ms: float = 0.0, clock: Clock | None = None) -> None:
        assert clock or not delay_ms, "what takes time needs a clock"
        self.heard: list[bytes] = []
        self.mulaw = b""
        self.languages: list[str] = []
        self.late_after_ms: list[int] = []
        self.cuts = 0
        self.cancelled = 0
        self.opened = 0
        self.closed = 0
        self.delay_ms = delay_ms
        self._clock = clock
        self._script = list(script)

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> FakeTranscription:
        self.opened += 1
        self.languages.append(language)
        self.late_after_ms.append(late_after_ms)
        return FakeTranscription(self)

    async def answer(self, pcm: bytes) -> str:
        """The next answer of the script, `delay_ms` later."""
        assert self._script, "nothing more should be transcribed"
        self.heard.append(pcm)
        answer = self._script.pop(0)
        try:
            if self._clock and self.delay_ms:
                await self._clock.sleep_ms(self.delay_ms)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(answer, SpeechToTextError):
            raise answer
        return answer

    async def ping(self) -> None:
        """Always ready."""

    def assert_complete(self) -> None:
        assert not self._script, f"never transcribed: {self._script}"


class FakeTranscription:
    """Fills the port `Transcription`."""

    language = ""

    def __init__(self, service: FakeSpeechToText) -> None:
        self._service = service
        self._pcm = b""
        self._covered = 0
        self._words = ""
        self._closed = False

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
        assert not self._closed, "fed after it was closed"
        self._pcm += pcm
        self._service.mulaw += mulaw

    async def words(self) -> str:
        assert not self._closed, "asked after it was closed"
        asked = len(self._pcm)
        if asked > self._covered:
            self._words = await self._service.answer(self._pcm)
            self._covered = asked
        return self._words

    def cut(self) -> None:
        self._service.cuts += 1
        self._pcm, self._covered = self._pcm[self._covered :], 0

    async def close(self) -> None:
        self._service.closed += not self._closed
        self._closed = True


Item = str | ToolCall | Usage


@dataclass
class Answer:
    """Tokens, each `token_ms` after the one before, and tool calls and costs alike; then `error`, if any. `stall_ms`
    comes before the first.
    """

    tokens: Sequence[Item]
    token_ms: float = 10.0
    stall_ms: float = 0.0
    error: LanguageModelError | None = None


class FakeLanguageModel:
    """Fills the port `LanguageModel`. `given` counts the tokens that were taken of each answer."""

    def __init__(self, clock: Clock, *script: Answer) -> None:
        self.asked: list[list[Message]] = []
        self.given: list[int] = []
        self.wishes: list[Wish] = []
        self.late_after_ms: list[int] = []
        self.cancelled = 0
        self._clock = clock
        self._script = list(script)

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, wish: Wish = PLAIN
    ) -> AsyncGenerator[Item, None]:
        self.late_after_ms.append(wish.late_after_ms)
        self.wishes.append(wish)
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

    `errors` maps a sentence to the error that comes after `error_after_ms` of its sound, `stalls_ms` one to how long
    its first piece takes; `silent` are those that yield silence. `cancelled` lists the sentences that were not wanted
    to their end.
    """

    def __init__(
        self, clock: Clock, *, ms_per_character: int = 50, piece_ms: int = 100, delay_ms: float = 5.0
    ) -> None:
        self.said: list[str] = []
        self.voices: list[str] = []
        self.errors: dict[str, TextToSpeechError] = {}
        self.error_after_ms = 0
        self.stalls_ms: dict[str, float] = {}
        self.silent: set[str] = set()
        self.cancelled: list[str] = []
        self.late_after_ms: list[int] = []
        self.delay_ms = delay_ms
        self.silence_ms = 0
        self._clock = clock
        self._ms_per_character = ms_per_character
        self._piece_ms = piece_ms

    def sound_of(self, text: str) -> bytes:
        level = sum(text.encode()) % 30_000 + 1
        return np.full(len(text) * self._ms_per_character * 16, level, dtype="<i2").tobytes()

    async def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        self.said.append(text)
        self.voices.append(voice)
        sound, error = bytes(self.silence_ms * BYTES_PER_MS) + self.sound_of(text), self.errors.get(text)
        self.late_after_ms.append(late_after_ms)
        if error:
            sound = sound[: self.error_after_ms * BYTES_PER_MS]
        if text in self.silent:
            sound = bytes(len(sound))
        is_wanted = False
        try:
            await self._clock.sleep_ms(self.stalls_ms.get(text, 0.0))
            for start in range(0, len(sound), self._piece_ms * BYTES_PER_MS):
                await self._clock.sleep_ms(self.delay_ms)
                yield sound[start : start + self._piece_ms * BYTES_PER_MS]
            is_wanted = True
        finally:
            if not is_wanted:
                self.cancelled.append(text)
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
