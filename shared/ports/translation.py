"""The same words in another language or script, and which language words are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Translated:
    """`source`: the language that the text was in, ISO 639, as given or as it was detected."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Identified:
    """`language`: ISO 639; `script`: ISO 15924. "" where it is not known."""

    language: str
    script: str


class Translation(Protocol):
    """Languages are tags (`hi`, `hi-IN`). Raises `TranslationError`; asking again does no harm."""

    async def translate(self, text: str, *, target: str, source: str = "") -> Translated:
        """Without `source` the language is detected. Raises: TranslationError for a language that is not known."""
        ...

    async def transliterate(self, text: str, *, target: str, source: str = "") -> str:
        """The words as they are, in the script of another language."""
        ...

    async def identify(self, text: str) -> Identified:
        """The language and the script of a text, by its beginning."""
        ...
