"""Writes down what both sides of a call say while we can only listen: for whoever assists, and for the record."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass, field

from shared.domain import overheard, pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError, SpeechToTextError
from shared.domain.speech_cutting import CHUNK_BYTES, CHUNK_MS, Speech, SpeechCutter
from shared.domain.steps import ListenAlongRequest
from shared.ports.clock import Clock
from shared.ports.file_store import FileStore
from shared.ports.live_sound import LiveSound, Side, SoundPiece, SoundSource
from shared.ports.pipes import Entry, Pipes
from shared.ports.speech_to_text import SpeechToText
from shared.ports.voice_activity import VoiceActivity, VoiceActivityDetector

logger = logging.getLogger(__name__)

_ATTEMPTS = 4
_PAUSE_S = 1.0
_GAP_MS = 500
"""A side that was silent for so long in the stream itself begins anew."""
_LATE_AFTER_MS = 8000
_SHORTEST_MS = 200
"""What is left of a speech that was heard before, up to its end."""


@dataclass(frozen=True, slots=True)
class ListenAlong:
    """`sound`: None where the provider is not set up."""

    sound: LiveSound | None
    detector: VoiceActivityDetector
    speech_to_text: SpeechToText
    pipes: Pipes
    files: FileStore
    clock: Clock

    async def __call__(self, request: ListenAlongRequest, *, within_s: float) -> bool:
        """Whether there is more to hear after `within_s`. Run again, it goes on where it stopped.

        Raises: MediaError, StoreError.
        """
        if self.sound is None:
            return False
        hearing = _Hearing(self, request, await self.pipes.read(pipe_names.overheard(request.call_id)))
        until_ms = self.clock.now_ms() + within_s * 1000
        try:
            if await self._go_on(self.sound, hearing, until_ms):
                return True
        except MediaError:
            await self._close(hearing)
            raise
        await self._close(hearing)
        return False

    async def _go_on(self, sound: LiveSound, hearing: _Hearing, until_ms: float) -> bool:
        """Whether the time was over first. A line that breaks again and again in the same place is given up."""
        attempt = 0
        while True:
            heard_ms = hearing.heard_ms
            try:
                return await self._follow(sound, hearing, until_ms)
            except MediaError as error:
                attempt = 1 if hearing.heard_ms > heard_ms else attempt + 1
                if not error.retryable or attempt == _ATTEMPTS:
                    raise
                logger.warning("call %s: the live sound broke off: %s", hearing.request.call_id, error)
                if attempt > 1:
                    await hearing.cut()
                await asyncio.sleep(_PAUSE_S * attempt)

    async def _follow(self, sound: LiveSound, hearing: _Hearing, until_ms: float) -> bool:
        """Whether the time was over first."""
        hearing.begin()
        async with aclosing(sound.follow(hearing.source, place=hearing.place)) as pieces:
            async for piece in pieces:
                await hearing.take(piece)
                if self.clock.now_ms() >= until_ms:
                    await hearing.pause()
                    return True
        return False

    async def _close(self, hearing: _Hearing) -> None:
        await hearing.finish()
        request = hearing.request
        entries = await self.pipes.read(pipe_names.overheard(request.call_id))
        speeches = overheard.read(entry.fields for entry in entries)
        if speeches:
            name = overheard.file_of(request.tenant_id, request.call_id)
            await self.files.put(name, overheard.to_lines(speeches), content_type=overheard.CONTENT_TYPE)


@dataclass
class _Ear:
    """One side: whole chunks out of pieces of any size. `since`: from where on it has to be heard again, if it is not
    heard to its end; `until_ms`: what was said until then is written down.
    """

    activity: VoiceActivity
    cutter: SpeechCutter = field(default_factory=SpeechCutter)
    held: bytearray = field(default_factory=bytearray)
    next_ms: int = 0
    since: str = ""
    until_ms: int = 0


class _Hearing:
    """`place`: from where on both sides have to be heard by who goes on for us; `heard_ms`: how far they were."""

    def __init__(self, step: ListenAlong, request: ListenAlongRequest, before: list[Entry]) -> None:
        self.source = SoundSource(request.provider_call_id, request.stream, request.start)
        self.place = before[-1].fields[b"place"].decode() if before else ""
        self._step = step
        self.request = request
        self._until_ms = overheard.heard_until(entry.fields for entry in before)
        self._position = overheard.place_in(before[-1].position) if before else (0, 0)
        self._latest = self._earlier = self.place
        self.heard_ms = 0
        self._ears: dict[Side, _Ear] = {}

    def begin(self) -> None:
        """From the place on; what was in the ears will be heard again."""
        detector, place, until_ms = self._step.detector, self.place, self._until_ms
        self._ears = {side: _Ear(detector.open(), since=place, until_ms=until_ms.get(side.value, 0)) for side in Side}
        self._latest = self._earlier = place

    async def take(self, piece: SoundPiece) -> None:
        ear = self._ears[piece.side]
        if piece.place != self._latest:
            self._earlier, self._latest = self._latest, piece.place
        if not ear.next_ms or abs(piece.at_ms - ear.next_ms) > _GAP_MS:
            await self._write(piece.side, ear.cutter.finish(ear.next_ms))
            ear.held.clear()
            ear.next_ms = piece.at_ms
        ear.held += piece.pcm
        while len(ear.held) >= CHUNK_BYTES:
            chunk = bytes(ear.held[:CHUNK_BYTES])
            del ear.held[:CHUNK_BYTES]
            ear.next_ms += CHUNK_MS
            probability = await ear.activity.probability(chunk)
            await self._write(piece.side, ear.cutter.take(chunk, probability, ear.next_ms))
        self.heard_ms = max(self.heard_ms, ear.next_ms)
        if not ear.cutter.is_speaking:
            ear.since = self._earlier  # the beginning of a speech may lie in the piece before
        self._move()

    def _move(self) -> None:
        """Who speaks holds the place; places are the provider's, and only known to be equal or not."""
        waiting = [ear.since for ear in self._ears.values() if ear.cutter.is_speaking]
        if not waiting:
            self.place = self._earlier
        elif self.place not in waiting:
            self.place = waiting[0]

    async def finish(self) -> None:
        """Nothing more comes of what is being said."""
        for side, ear in self._ears.items():
            await self._write(side, ear.cutter.finish(ear.next_ms))

    async def cut(self) -> None:
        """A speech that lasts longer than the line holds is written in parts, or it would be heard anew for ever."""
        await self.finish()
        self.place = self._earlier

    async def pause(self) -> None:
        """Somebody goes on soon, from the place: a quiet call must not be heard anew from its beginning."""
        await self._append({"place": self.place}, self._position[0])

    async def _write(self, side: Side, speech: Speech | None) -> None:
        """The position is the same when it is heard again, so that a second writing changes nothing."""
        ear = self._ears[side]
        speech = None if speech is None else _rest_of(speech, ear.until_ms)
        if speech is None:
            return
        words = await self._words(speech)
        ear.until_ms = self._until_ms[side.value] = speech.ended_ms
        if words:
            entry = {
                "side": side.value,
                "text": words,
                "began_ms": str(speech.began_ms),
                "ended_ms": str(speech.ended_ms),
                "place": self.place,
            }
            await self._append(entry, speech.ended_ms)

    async def _append(self, entry: dict[str, str], at_ms: int) -> None:
        """What has ended before what stands there already is written behind it all the same."""
        milliseconds, number = self._position
        self._position = (at_ms, 1) if at_ms > milliseconds else (milliseconds, number + 1)
        position = "-".join(map(str, self._position))
        await self._step.pipes.append(pipe_names.overheard(self.request.call_id), entry, position=position)

    async def _words(self, speech: Speech) -> str:
        """A speech that cannot be understood is left out; the rest of the call is worth more."""
        request = self.request
        opened = self._step.speech_to_text.open(
            language=request.language, call_id=request.call_id, late_after_ms=_LATE_AFTER_MS
        )
        try:
            opened.feed(speech.pcm)
            return (await opened.words()).strip()
        except SpeechToTextError as error:
            logger.warning("call %s: a speech was not understood: %s", request.call_id, error)
            return ""
        finally:
            await opened.close()


def _rest_of(speech: Speech, until_ms: int) -> Speech | None:
    """Without what was written down before."""
    again_ms = until_ms - speech.began_ms
    if again_ms <= 0:
        return speech
    if speech.ended_ms - until_ms < _SHORTEST_MS:
        return None
    return Speech(until_ms, speech.ended_ms, speech.pcm[again_ms * BYTES_PER_MS :])
