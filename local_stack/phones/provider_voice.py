"""How a provider speaks for an app: texts one after the other, and how far they were heard when somebody cuts in."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from local_stack.phones import g711
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.provider_speech import ProviderSpeech, SpeechTrouble


@dataclass(frozen=True)
class _Piece:
    """A text that lies in the line's buffer from one byte to another."""

    text: str
    begins: int
    ends: int

    def heard(self, played: int) -> str:
        """The words of it that were played; a word counts when most of it was."""
        if played >= self.ends:
            return self.text
        words = self.text.split()
        share = max(0, played - self.begins) / max(1, self.ends - self.begins)
        return " ".join(words[: round(share * len(words))])


@dataclass(frozen=True)
class CutOff:
    """What was heard of the texts when they were cut off."""

    heard: str
    heard_ms: int


class ProviderVoice:
    """Makes texts into sound in their order, one ahead of the other, and plays them on the line."""

    def __init__(self, line: PhoneLine, speech: ProviderSpeech) -> None:
        self._line = line
        self._speech = speech
        self._waiting: deque[str] = deque()
        self._pieces: list[_Piece] = []
        self._maker: asyncio.Task[None] | None = None
        self._began = line.playback.received

    @property
    def is_making(self) -> bool:
        """Whether a text is not sound yet."""
        return self._maker is not None

    @property
    def is_heard(self) -> bool:
        """Whether something of it is to be heard now."""
        return bool(self._pieces) and self._line.playback.played < self._pieces[-1].ends

    @property
    def is_busy(self) -> bool:
        """Whether anything is still to be made or to be heard."""
        return self.is_making or self.is_heard

    def say(self, text: str, language: str = "") -> None:
        """Appends a text; one without words is passed over. The language is noted: the voice has but one."""
        if not any(character.isalnum() for character in text):
            return
        turn = self._line.conversation.turn
        turn.spoken = f"{turn.spoken or ''} {text.strip()}".strip()
        told: dict[str, Any] = {"language": language} if language else {}
        self._line.log.add("provider_says", turn=turn.number, text=text.strip(), **told)
        self._waiting.append(text.strip())
        if self._maker is None:
            self._maker = asyncio.create_task(self._make())

    def begin_answer(self) -> None:
        """What was said before does not count any more, should somebody cut in."""
        self._pieces = []

    def play(self, ulaw_8k: bytes) -> None:
        """Appends sound that has no words, such as music."""
        self._append("", ulaw_8k)

    async def _make(self) -> None:
        try:
            while self._waiting:
                text = self._waiting.popleft()
                try:
                    sound = await self._speech.say_to_line(text)
                except SpeechTrouble as trouble:
                    self._line.log.add("provider_trouble", message=str(trouble))
                    continue
                self._append(text, sound)
        finally:
            self._maker = None

    def _append(self, text: str, ulaw_8k: bytes) -> None:
        begins = self._line.playback.received
        if not self._pieces:
            self._began = begins
        self._line.play(ulaw_8k)
        self._pieces.append(_Piece(text, begins, self._line.playback.received))

    async def stop(self) -> CutOff:
        """Nothing more is heard; says what was until now."""
        maker, self._maker = self._maker, None
        self._waiting.clear()
        if maker is not None:
            maker.cancel()
            await asyncio.gather(maker, return_exceptions=True)
        played = self._line.playback.played
        heard = " ".join(filter(None, (piece.heard(played) for piece in self._pieces)))
        heard_ms = (played - self._began) * 1000 // g711.SAMPLE_RATE_HZ
        if self.is_heard:
            self._line.clear()
        self._pieces = []
        return CutOff(heard, max(0, heard_ms))

    async def finish(self) -> None:
        """Waits until all is heard. Raises: LineOver, LineCut."""
        await self._line.until(lambda: not self.is_busy)
