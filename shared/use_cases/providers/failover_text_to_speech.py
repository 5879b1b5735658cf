"""A voice made of several: who is late or silent is replaced, what breaks off is finished by another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial

from shared.domain.audibility import OnsetTrim
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import TextToSpeechError
from shared.ports.text_to_speech import TextToSpeech
from shared.use_cases.providers.provider_health import ProviderHealth
from shared.use_cases.providers.racing import Contender, Race

_STALLED_AFTER_S = 2.0
_SILENT_BYTES = 1_500 * BYTES_PER_MS
"""A voice that begins with more silence than this says nothing at all."""


class FailoverTextToSpeech:
    """Fills the port `TextToSpeech`. `voices`: by the name of their breakers, the preferred one first.

    The sound begins with its first audible sample. Sound that is nothing but silence counts as failed. If a voice
    breaks off within a sentence, or is silent for `stalled_after_s`, another one says the whole sentence again, and
    what of it lasted as long as what was given already is left out.
    """

    def __init__(
        self,
        voices: Mapping[str, TextToSpeech],
        health: ProviderHealth,
        *,
        stalled_after_s: float = _STALLED_AFTER_S,
    ) -> None:
        self._voices = dict(voices)
        self._health = health
        self._stalled_after_s = stalled_after_s

    async def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        async with self._race(list(self._voices), text, voice, call_id, late_after_ms) as race:
            piece = await race.first()
            given_bytes = len(piece)
            yield piece
            try:
                async with aclosing(race.rest(stalled_after_s=self._stalled_after_s)) as pieces:
                    async for piece in pieces:
                        given_bytes += len(piece)
                        yield piece
                return
            except TextToSpeechError:
                if not (others := race.others()):
                    raise
        async with self._race(others, text, voice, call_id, 0) as race:
            piece = await race.first()
            if rest := piece[given_bytes:]:
                yield rest
            given_bytes -= len(piece)
            async with aclosing(race.rest()) as pieces:
                async for piece in pieces:
                    if rest := piece[max(given_bytes, 0) :]:
                        yield rest
                    given_bytes -= len(piece)

    def _race(self, names: Sequence[str], text: str, voice: str, call_id: str, late_after_ms: int) -> Race[bytes]:
        contenders = [
            Contender(name, partial(_audible, self._voices[name], text, voice=voice, call_id=call_id))
            for name in names
        ]
        return Race(contenders, self._health, TextToSpeechError, late_after_ms=late_after_ms)


async def _audible(speech: TextToSpeech, text: str, *, voice: str, call_id: str) -> AsyncGenerator[bytes, None]:
    """The sound from its onset on. Raises: TextToSpeechError where none comes."""
    trim, received_bytes, begun = OnsetTrim(), 0, False
    async with aclosing(speech.synthesize(text, voice=voice, call_id=call_id)) as pieces:
        async for piece in pieces:
            if sound := trim.push(piece):
                begun = True
                yield sound
            received_bytes += len(piece)
            if not begun and received_bytes > _SILENT_BYTES:
                break
    if not begun:
        raise TextToSpeechError("synthesis_silent", "the provider sent silence", retryable=True)
