"""What is written as digits and signs is put into words before a voice says it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from shared.domain.spoken.scripts import language_written
from shared.domain.spoken.spoken_form import spoken_form
from shared.domain.voices import language_of
from shared.ports.text_to_speech import TextToSpeech

_USUAL_LANGUAGE = "en"


class SpokenWords:
    """Fills the port `TextToSpeech` around one that reads aloud what it is given. It belongs within the caches, whose
    keys are the texts as they were written.
    """

    def __init__(self, speech: TextToSpeech) -> None:
        self._speech = speech

    def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        words = spoken_form(text, language_written(text, language_of(voice) or _USUAL_LANGUAGE))
        return self._speech.synthesize(words, voice=voice, call_id=call_id, late_after_ms=late_after_ms)
