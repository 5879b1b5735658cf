"""Turns the sentences of one take's answer into pieces of sound, ahead of their playing."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from shared.domain.audibility import OnsetTrim, audible_bytes, audible_ms
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import TextToSpeechError
from shared.domain.playback import Piece, Sent, good_place, piece_bytes
from shared.domain.sentences import ends_sentence
from shared.ports.clock import Clock
from shared.ports.text_to_speech import TextToSpeech

logger = logging.getLogger(__name__)

_AHEAD = 2
"""So many sentences are made before the take is final: enough to begin with, and little is wasted."""
_SHORT_BYTES = 3000 * BYTES_PER_MS
_WITHIN_SENTENCE_BYTES = 100 * BYTES_PER_MS
"""What remains of the silence after a clause, whose sentence goes on."""


@dataclass(slots=True)
class Answer:
    """One take's sentences as they come. `is_whole`: no more will; `has_failed`: it is an apology."""

    sentences: list[str] = field(default_factory=list)
    is_whole: bool = False
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how long the first sound of a sentence may take. `in_language`: gives the voice's name for the
    language in which the call is now, where it may change.
    """

    text_to_speech: TextToSpeech
    clock: Clock
    call_id: str
    name: str
    late_after_ms: int
    in_language: Callable[[], Awaitable[str]] | None = None

    def say(self, text: str) -> AsyncGenerator[bytes, None]:
        return self._say(text, self.name) if self.in_language is None else self._say_in(text, self.in_language)

    def _say(self, text: str, name: str) -> AsyncGenerator[bytes, None]:
        return self.text_to_speech.synthesize(
            text, voice=name, call_id=self.call_id, late_after_ms=self.late_after_ms
        )

    async def _say_in(self, text: str, in_language: Callable[[], Awaitable[str]]) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._say(text, await in_language())) as sound:
            async for pcm in sound:
                yield pcm


class Synthesis:
    """One take's sound: `pieces` grows in order, and `on_growth` is called when it has, or when all is made.

    `pieces` may begin with what was made before this step was run again. `is_hopeless`: only an apology can help.
    """

    def __init__(
        self, voice: Voice, take: int, answer: Answer, pieces: Sequence[Piece], on_growth: Callable[[], None]
    ) -> None:
        self.take = take
        self.answer = answer
        self.pieces = list(pieces)
        self.is_final = False
        self.has_failed = self.is_rescued
        self.is_hopeless = self.is_rescued and not self.pieces[-1].last
        self.characters = 0
        self.first_byte_ms: float | None = None
        self.is_given_up = False
        self._is_made = False
        self._voice = voice
        self._on_growth = on_growth
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._run(), name=f"sound of take {take}")
        self.task.add_done_callback(lambda _: on_growth())

    @property
    def is_rescued(self) -> bool:
        """Whether it ends with an apology in place of what could not be said."""
        return bool(self.pieces) and self.pieces[-1].text is not None

    @property
    def is_complete(self) -> bool:
        """Whether no more pieces will come."""
        return self.pieces[-1].last if self.is_rescued else self._is_made

    @property
    def texts(self) -> dict[int, str]:
        """The sentences by their number, those that were not thought included."""
        return dict(enumerate(self.answer.sentences, start=1)) | {
            piece.sentence: piece.text for piece in self.pieces if piece.text is not None
        }

    @property
    def whole_ms(self) -> dict[int, float]:
        """How long each sentence that is made can be heard: the silence after it holds no words."""
        ends = {piece.sentence: piece.begins_bytes + audible_bytes(piece.pcm) for piece in self.pieces if piece.last}
        return {sentence: end_bytes / BYTES_PER_MS for sentence, end_bytes in ends.items() if end_bytes}

    def place_after(self, last: Sent | None) -> tuple[int, int]:
        """The piece with which to go on after the last one that was sent, and how many of its bytes were heard."""
        if last is None:
            return 0, 0
        index = next(n for n, piece in enumerate(self.pieces) if piece.position == last.piece.position)
        heard_bytes = last.skipped_bytes + (last.size_bytes if last.heard_bytes is None else last.heard_bytes)
        pcm = last.piece.pcm
        return (index + 1, 0) if heard_bytes >= len(pcm) else (index, good_place(pcm, heard_bytes))

    def left_ms(self, last: Sent | None) -> float:
        """How much that can be heard follows the last one that was sent; infinity if that is not known, or long."""
        if not self.is_complete:
            return math.inf
        index, heard_bytes = self.place_after(last)
        rest = self.pieces[index:]
        if sum(len(piece.pcm) for piece in rest) > _SHORT_BYTES:
            return math.inf
        return audible_ms(b"".join(piece.pcm for piece in rest)[heard_bytes:])

    def go_on(self) -> None:
        """The answer has grown."""
        self._news.set()

    def commit(self) -> None:
        """The take is final: all of the answer is to be made."""
        self.is_final = True
        self._news.set()

    def give_up(self) -> None:
        """Make nothing more."""
        self.task.cancel()
        self.is_given_up = self._is_made = self.has_failed = True

    def rescue(self, text: str, pcm: bytes) -> None:
        """Make nothing more, and end with this instead. Of an apology that stands there in part, add the rest."""
        self.give_up()
        last = self.pieces[-1] if self.pieces else None
        if last is not None and last.text is not None:
            sentence, number, begin = last.sentence, last.number, last.begins_bytes + len(last.pcm)
        else:
            sentence, number, begin = (last.sentence if last else 0) + 1, 0, 0
        while begin < len(pcm) or not number:
            number += 1
            part = pcm[begin : begin + piece_bytes(len(self.pieces))]
            is_last = begin + len(part) >= len(pcm)
            self.pieces.append(Piece(sentence, number, part, is_last, begin, text))
            begin += len(part)
        self._on_growth()

    async def _run(self) -> None:
        """Synthesise each sentence as it comes, until the answer's end."""
        if self.is_rescued:
            return
        number = 0
        while not self.is_hopeless:
            sentences = self.answer.sentences
            if number < (len(sentences) if self.is_final else min(_AHEAD, len(sentences))):
                number += 1
                await self._make(number)
            elif self.answer.is_whole and number >= len(sentences):
                break
            else:
                self._news.clear()
                await self._news.wait()
        self._is_made = True

    async def _make(self, sentence: int) -> None:
        """One sentence, less what was made of it before; one that cannot be made is passed over, aloud in the log,
        unless nothing was made before it: then there is no hope for the rest.
        """
        before = [piece for piece in self.pieces if piece.sentence == sentence]
        is_whole = bool(before) and before[-1].last
        if is_whole or not any(map(str.isalnum, self.answer.sentences[sentence - 1])):
            return
        if self.pieces and self.pieces[-1].sentence > sentence:
            self.has_failed = True
            return  # what follows has been made, and perhaps said: it is too late for the rest
        try:
            await self._synthesize(sentence, before)
        except TextToSpeechError as error:
            logger.warning("call %s take %d: not said: %s", self._voice.call_id, self.take, error)
            self.has_failed = True
            self.is_hopeless = not self.pieces

    async def _synthesize(self, sentence: int, before: list[Piece]) -> None:
        begins_first = not self.pieces or self.pieces[0].sentence == sentence
        goes_on = sentence > 1 and not ends_sentence(self.answer.sentences[sentence - 2])
        skip_bytes = at_bytes = sum(len(piece.pcm) for piece in before)
        number = len(before)
        text = self.answer.sentences[sentence - 1]
        pending = bytearray()
        self.characters += len(text)
        onset, is_audible = OnsetTrim(), False

        def add(size: int, *, last: bool = False) -> None:
            nonlocal number, at_bytes
            number += 1
            self._add(Piece(sentence, number, bytes(pending[:size]), last, at_bytes))
            at_bytes += size
            del pending[:size]

        try:
            async with aclosing(self._voice.say(text)) as sound:
                async for made in sound:
                    if self.first_byte_ms is None:
                        self.first_byte_ms = self._voice.clock.now_ms()
                    audible = onset.push(made)
                    is_audible = is_audible or bool(audible)
                    # Silence before the very first word is time that the caller waits, and within a sentence it
                    # would tear it; between sentences it is a pause.
                    pcm = audible if begins_first or goes_on else made
                    pending += pcm[skip_bytes:]
                    skip_bytes = max(0, skip_bytes - len(pcm))
                    # One piece is always held back, for the last one has to be known as such.
                    while is_audible and len(pending) > (size := piece_bytes(len(self.pieces))):
                        add(size)
        except TextToSpeechError:
            if number and pending and is_audible:
                add(len(pending))
            raise
        if not is_audible:
            raise TextToSpeechError("tts_silent", "the voice said nothing", retryable=True)
        if not ends_sentence(text):
            del pending[audible_bytes(pending) + _WITHIN_SENTENCE_BYTES :]
        add(len(pending), last=True)

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self._on_growth()
