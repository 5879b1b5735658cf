"""Turns the sentences of one answer into pieces of sound, kept in a pipe so that none is made twice."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from shared.domain import pipe_names
from shared.domain.audio import OnsetTrim
from shared.domain.errors import TextToSpeechError
from shared.domain.ledger import Moment
from shared.domain.playback import Piece, piece_bytes
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.text_to_speech import TextToSpeech

logger = logging.getLogger(__name__)


class Synthesis:
    """`ready` gives the pieces in order, and None at the end. `sentences` grows as they are read."""

    def __init__(
        self,
        pipes: Pipes,
        live_calls: LiveCalls,
        *,
        text_to_speech: TextToSpeech,
        clock: Clock,
        request: TurnRequest,
        voice: str,
    ) -> None:
        self.ready: asyncio.Queue[Piece | None] = asyncio.Queue()
        self.sentences: list[str] = []
        self.pieces: dict[str, Piece] = {}
        self.failed = False
        self._has_begun = False
        self._pipes = pipes
        self._live_calls = live_calls
        self._text_to_speech = text_to_speech
        self._clock = clock
        self._request = request
        self._voice = voice

    async def restore(self) -> None:
        """Take up the pieces that were made before this step was run again, and their sentences."""
        for entry in await self._pipes.read(self._pipe(pipe_names.AUDIO)):
            sentence, _, number = entry.position.partition("-")
            piece = Piece(int(sentence), int(number), entry.fields[b"pcm"], entry.fields[b"last"] == b"1")
            self.pieces[piece.position] = piece
        begun = max((piece.sentence for piece in self.pieces.values()), default=0)
        for entry in (await self._pipes.read(self._pipe(pipe_names.SENTENCES)))[:begun]:
            self.sentences.append(entry.fields[b"text"].decode())

    async def run(self) -> None:
        """Synthesise each sentence as it comes, until the answer's end."""
        for piece in self.pieces.values():
            self.ready.put_nowait(piece)
        made = dict(self.pieces)
        number = 0
        async with aclosing(self._pipes.follow(self._pipe(pipe_names.SENTENCES))) as batches:
            async for batch in batches:
                for entry in batch:
                    if entry.fields.get(b"event") == b"end":
                        self.failed = self.failed or entry.fields.get(b"outcome") == b"failed"
                        self.ready.put_nowait(None)
                        return
                    number += 1
                    if number > len(self.sentences):
                        self.sentences.append(entry.fields[b"text"].decode())
                    await self._make(number, made)

    async def _make(self, sentence: int, made: dict[str, Piece]) -> None:
        """One sentence, less what was made of it before; a sentence that cannot be made is passed over, aloud
        in the log.
        """
        before = [piece for piece in made.values() if piece.sentence == sentence]
        is_whole = bool(before) and before[-1].last
        if any(piece.sentence > sentence for piece in made.values()):
            self.failed = self.failed or not is_whole
            return  # what follows has been made, and perhaps said: it is too late for the rest
        if is_whole:
            return
        try:
            await self._synthesize(sentence, before)
        except TextToSpeechError as error:
            logger.warning("call %s turn %d: not said: %s", self._request.call_id, self._request.turn, error)
            self.failed = True

    async def _synthesize(self, sentence: int, before: list[Piece]) -> None:
        skip_bytes = sum(len(piece.pcm) for piece in before)
        number = len(before)
        pending = bytearray()
        source = self._text_to_speech.synthesize(
            self.sentences[sentence - 1], voice=self._voice, call_id=self._request.call_id
        )
        onset = OnsetTrim()
        async with aclosing(source) as sound:
            async for made in sound:
                if sentence == 1 and not self._has_begun:
                    self._has_begun = True
                    await self._live_calls.note_once(
                        self._request.call_id,
                        self._request.turn,
                        Moment.FIRST_AUDIO_BYTE,
                        self._clock.now_ms(),
                    )
                pcm = onset.push(made) if sentence == 1 else made
                pending += pcm[skip_bytes:]
                skip_bytes = max(0, skip_bytes - len(pcm))
                # One piece is always held back, for the last one has to be known as such.
                while len(pending) > (size := piece_bytes(len(self.pieces))):
                    number += 1
                    await self._add(Piece(sentence, number, bytes(pending[:size])))
                    del pending[:size]
        await self._add(Piece(sentence, number + 1, bytes(pending), last=True))

    async def _add(self, piece: Piece) -> None:
        self.pieces[piece.position] = piece
        await self._pipes.append(
            self._pipe(pipe_names.AUDIO),
            {"pcm": piece.pcm, "last": "1" if piece.last else "0"},
            position=piece.position,
        )
        self.ready.put_nowait(piece)

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self._request.call_id, self._request.turn, name)
