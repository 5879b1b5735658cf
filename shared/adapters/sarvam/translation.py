"""Translation by Sarvam. Source: `text/raw_client.py` of https://pypi.org/project/sarvamai/0.1.39"""

from __future__ import annotations

import asyncio
from typing import Any

from shared.adapters.sarvam.languages import HEARD, SPOKEN, language_of, request_language
from shared.adapters.sarvam.wire import SarvamWire, translated
from shared.domain.errors import TranslationError
from shared.ports.translation import Identified, Translated

_DEADLINE_S = 5.0
_SMALL_MODEL, _SMALL_LONGEST = "mayura:v1", 1_000
_LARGE_MODEL, _LARGE_LONGEST = "sarvam-translate:v1", 2_000
"""The small model detects languages; the large one knows all 22 and English, and does not."""
_IDENTIFIED_CHARACTERS = 1_000


class SarvamTranslation:
    """Fills the port `Translation`."""

    def __init__(self, wire: SarvamWire, *, deadline_s: float = _DEADLINE_S) -> None:
        self._wire = wire
        self._deadline_s = deadline_s

    async def translate(self, text: str, *, target: str, source: str = "") -> Translated:
        known = language_of(source)
        pair = {language_of(target), known or language_of(target)}
        if not pair <= HEARD:
            raise TranslationError("language_unknown", "Sarvam does not translate between these languages")
        is_small = pair <= SPOKEN and len(text) <= _SMALL_LONGEST
        if not known and not is_small:
            raise TranslationError("source_unknown", "the language of a text like this has to be given")
        if len(text) > _LARGE_LONGEST:
            raise TranslationError("text_too_long", f"a text has at most {_LARGE_LONGEST} characters")
        document = {
            "input": text,
            "source_language_code": request_language(known) if known else "auto",
            "target_language_code": request_language(target),
            "model": _SMALL_MODEL if is_small else _LARGE_MODEL,
            "mode": "formal",
        }
        answer = await self._ask("/translate", document, "translate")
        found = language_of(str(answer.get("source_language_code") or ""))
        return Translated(_text(answer, "translated_text"), known or found)

    async def transliterate(self, text: str, *, target: str, source: str = "") -> str:
        known = language_of(source)
        if not {language_of(target), known or language_of(target)} <= SPOKEN:
            raise TranslationError("language_unknown", "Sarvam does not write these languages in each other's script")
        if len(text) > _SMALL_LONGEST:
            raise TranslationError("text_too_long", f"a text has at most {_SMALL_LONGEST} characters")
        document = {
            "input": text,
            "source_language_code": request_language(known) if known else "auto",
            "target_language_code": request_language(target),
        }
        return _text(await self._ask("/transliterate", document, "transliterate"), "transliterated_text")

    async def identify(self, text: str) -> Identified:
        answer = await self._ask("/text-lid", {"input": text[:_IDENTIFIED_CHARACTERS]}, "identify")
        return Identified(language_of(str(answer.get("language_code") or "")), str(answer.get("script_code") or ""))

    async def _ask(self, path: str, document: dict[str, Any], what: str) -> dict[str, Any]:
        async with translated(what, TranslationError), asyncio.timeout(self._deadline_s):
            answer = await self._wire.ask(path, document)
            if not isinstance(answer, dict):
                raise TranslationError("sarvam_failed", f"{what}: no object in the answer", retryable=True)
            return answer

    async def close(self) -> None:
        """Close its connections."""
        await self._wire.close()


def _text(answer: dict[str, Any], name: str) -> str:
    text = answer.get(name)
    if not isinstance(text, str):
        raise TranslationError("sarvam_failed", f"no {name} in the answer", retryable=True)
    return text
