"""Writes down what both sides of a call say while we can only listen: for whoever assists, and for the record."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from dataclasses import dataclass, field

from shared.domain import pipe_names
from shared.domain.errors import MediaError, SpeechToTextError
from shared.domain.speech_cutting import CHUNK_BYTES, CHUNK_MS, Speech, SpeechCutter
from shared.domain.steps import ListenAlongRequest
from shared.ports.clock import Clock
from shared.ports.file_store import FileStore
from shared.ports.live_sound import LiveSound, Side, SoundPiece, SoundSource
from shared.ports.pipes import Pipes
from shared.ports.speech_to_text import SpeechToText
from shared.ports.voice_activity import VoiceActivity, VoiceActivityDetector

logger = logging.getLogger(__name__)

_ATTEMPTS = 4
_PAUSE_S = 1.0
_GAP_MS = 500
"""A side that was silent for so long in the stream itself begins anew."""
_LATE_AFTER_MS = 8000
_SIDES = {Side.CALLER: 1, Side.AGENT: 2}


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
        overheard = pipe_names.overheard(request.call_id)
        last = await self.pipes.last(overheard)
        place = "" if last is None else last.fields.get(b"place", b"").decode()
        hearing = _Hearing(self, request, place)
        until_ms = self.clock.now_ms() + within_s * 1000
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if await self._follow(self.sound, hearing, until_ms):
                    return True
                break
            except MediaError as error:
                if not error.retryable or attempt == _ATTEMPTS:
                    raise
                logger.warning("call %s: the live sound broke off: %s", request.call_id, error)
                await asyncio.sleep(_PAUSE_S * attempt)
        await hearing.finish()
        await self._keep(request)
        return False

    async def _follow(self, sound: LiveSound, hearing: _Hearing, until_ms: float) -> bool:
        """Whether the time was over first."""
        async with aclosing(sound.follow(hearing.source, place=hearing.place)) as pieces:
            async for piece in pieces:
                await hearing.take(piece)
                if self.clock.now_ms() >= until_ms:
                    await hearing.finish()
                    return True
        return False

    async def _keep(self, request: ListenAlongRequest) -> None:
        entries = await self.pipes.read(pipe_names.overheard(request.call_id))
        lines = [
            {name: entry.fields[name.encode()].decode() for name in ("side", "text", "began_ms", "ended_ms")}
            for entry in entries
        ]
        if lines:
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            name = f"{request.tenant_id}/{request.call_id}/overheard.jsonl"
            await self.files.put(name, text.encode(), content_type="application/x-ndjson")


@dataclass
class _Ear:
    """One side: whole chunks out of pieces of any size."""

    activity: VoiceActivity
    cutter: SpeechCutter = field(default_factory=SpeechCutter)
    held: bytearray = field(default_factory=bytearray)
    next_ms: int = 0


class _Hearing:
    def __init__(self, step: ListenAlong, request: ListenAlongRequest, place: str) -> None:
        self.source = SoundSource(request.provider_call_id, request.stream, request.start)
        self.place = place
        self._step = step
        self._request = request
        self._ears = {side: _Ear(step.detector.open()) for side in Side}

    async def take(self, piece: SoundPiece) -> None:
        ear = self._ears[piece.side]
        self.place = piece.place
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

    async def finish(self) -> None:
        for side, ear in self._ears.items():
            await self._write(side, ear.cutter.finish(ear.next_ms))

    async def _write(self, side: Side, speech: Speech | None) -> None:
        """The position tells when it ended, so that hearing it again changes nothing."""
        words = "" if speech is None else await self._words(speech)
        if speech is None or not words:
            return
        entry = {
            "side": side.value,
            "text": words,
            "began_ms": str(speech.began_ms),
            "ended_ms": str(speech.ended_ms),
            "place": self.place,
        }
        position = f"{speech.ended_ms}-{_SIDES[side]}"
        await self._step.pipes.append(pipe_names.overheard(self._request.call_id), entry, position=position)

    async def _words(self, speech: Speech) -> str:
        """A speech that cannot be understood is left out; the rest of the call is worth more."""
        request = self._request
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
