"""A voice that does not say again what is still in the cache."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing

from shared.domain.audibility import OnsetTrim
from shared.domain.audio import BYTES_PER_MS
from shared.ports.sound_cache import SoundCache
from shared.ports.text_to_speech import TextToSpeech

_VERSION = "1"
"""To be raised when the same text, voice and maker are to sound different from now on."""
_FORMAT = "pcm_s16le_16000"
_LONGEST_CHARACTERS = 200
_PIECE_BYTES = 500 * BYTES_PER_MS
_REMEMBERED_KEYS = 4_096


def sound_key(text: str, *, voice: str, maker: str) -> str:
    """What the sound is kept under; `maker` names provider, model and default voice."""
    parts = (_VERSION, _FORMAT, maker, voice, " ".join(text.split()))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


class CachedSpeech:
    """Fills the port `TextToSpeech`: what the cache has is given at once, all else is made by `speech`."""

    def __init__(self, speech: TextToSpeech, cache: SoundCache, *, maker: str) -> None:
        self._speech = speech
        self._cache = cache
        self._maker = maker

    async def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        pcm = None
        if len(text) <= _LONGEST_CHARACTERS:
            pcm = await self._cache.get(sound_key(text, voice=voice, maker=self._maker))
        if pcm:
            for start in range(0, len(pcm), _PIECE_BYTES):
                yield pcm[start : start + _PIECE_BYTES]
            return
        stream = self._speech.synthesize(text, voice=voice, call_id=call_id, late_after_ms=late_after_ms)
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                yield piece


class KeepingSpeech:
    """Fills the port `TextToSpeech`: what `speech` makes is put into the cache for `CachedSpeech`, once it is whole
    and given. It belongs around the one provider that `maker` names, so that no other voice is kept under that name.

    Most sentences are said once and never again; one is kept when it is made for the `kept_from`th time.
    """

    def __init__(self, speech: TextToSpeech, cache: SoundCache, *, maker: str, kept_from: int = 2) -> None:
        self._speech = speech
        self._cache = cache
        self._maker = maker
        self._kept_from = kept_from
        self._made: OrderedDict[str, int] = OrderedDict()
        self._keeping: set[asyncio.Task[None]] = set()

    async def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        key = sound_key(text, voice=voice, maker=self._maker)
        made: list[bytes] | None = [] if len(text) <= _LONGEST_CHARACTERS and self._is_due(key) else None
        stream = self._speech.synthesize(text, voice=voice, call_id=call_id, late_after_ms=late_after_ms)
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                yield piece
                if made is not None:
                    made.append(piece)
        if made:
            self._keep(key, b"".join(made))

    def _is_due(self, key: str) -> bool:
        self._made[key] = times = self._made.pop(key, 0) + 1
        if len(self._made) > _REMEMBERED_KEYS:
            self._made.popitem(last=False)
        return times >= self._kept_from

    def _keep(self, key: str, pcm: bytes) -> None:
        if sound := OnsetTrim().push(pcm):
            task = asyncio.create_task(self._cache.put(key, sound, lasting=False), name="keep a sentence")
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)
