"""In which letters a text is written, how languages mix in it, and Hindi in the letters that voices read best."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from shared.domain.spoken.roman_hindi import DEVANAGARI

_RANGES: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x024F, "Latn"),
    (0x0370, 0x03FF, "Grek"),
    (0x0400, 0x052F, "Cyrl"),
    (0x0590, 0x05FF, "Hebr"),
    (0x0600, 0x06FF, "Arab"),
    (0x0900, 0x097F, "Deva"),
    (0x0980, 0x09FF, "Beng"),
    (0x0A00, 0x0A7F, "Guru"),
    (0x0A80, 0x0AFF, "Gujr"),
    (0x0B00, 0x0B7F, "Orya"),
    (0x0B80, 0x0BFF, "Taml"),
    (0x0C00, 0x0C7F, "Telu"),
    (0x0C80, 0x0CFF, "Knda"),
    (0x0D00, 0x0D7F, "Mlym"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x3040, 0x30FF, "Jpan"),
    (0x4E00, 0x9FFF, "Hani"),
    (0xAC00, 0xD7AF, "Kore"),
)
_SENTENCES = re.compile(r"[^.!?।\n]{1,2000}[.!?।\n]{0,3}")
_LATIN_WORDS = re.compile(r"[A-Za-z]{1,40}(?:['’][A-Za-z]{1,10})?")
_DEVANAGARI_WORDS = re.compile(r"[\u0900-\u0963\u0970-\u097f]{1,60}")
_FEWEST_HINDI_WORDS = 2
_LEAST_SHARE = 0.34


@dataclass(frozen=True, slots=True)
class Mixture:
    """One sentence: how many of its words are in Devanagari, Hindi in Latin letters, or others in Latin letters."""

    sentence: str
    devanagari: int
    roman_hindi: int
    latin: int

    @property
    def hindi_share(self) -> float:
        """0 to 1 of the words in these two scripts."""
        words = self.devanagari + self.roman_hindi + self.latin
        return (self.devanagari + self.roman_hindi) / words if words else 0.0

    @property
    def is_roman_hindi(self) -> bool:
        """Whether its Latin letters are Hindi, with or without English words among them."""
        words = self.roman_hindi + self.latin
        return self.roman_hindi >= _FEWEST_HINDI_WORDS and self.roman_hindi / words >= _LEAST_SHARE


def script_shares(text: str) -> dict[str, float]:
    """The scripts (ISO 15924) of a text's letters, the most frequent first."""
    counts = Counter(script for letter in text if (script := _script(letter)))
    return {script: count / counts.total() for script, count in counts.most_common()}


def script_of(text: str) -> str:
    """The script of most letters; "" where there are none."""
    return next(iter(script_shares(text)), "")


def mixtures(text: str) -> list[Mixture]:
    """Each sentence with its share of languages."""
    return [_mixture(found.group()) for found in _SENTENCES.finditer(text) if found.group().strip()]


def in_devanagari(text: str) -> str:
    """Hindi words in Latin letters as Hindi is written, in sentences that are Hindi; all else as it is."""
    return _SENTENCES.sub(lambda found: _rewritten(found.group()), text)


def _rewritten(sentence: str) -> str:
    if not _mixture(sentence).is_roman_hindi:
        return sentence
    return _LATIN_WORDS.sub(lambda word: DEVANAGARI.get(word.group().lower(), word.group()), sentence)


def _mixture(sentence: str) -> Mixture:
    latin = [word.lower() for word in _LATIN_WORDS.findall(sentence)]
    hindi = sum(word in DEVANAGARI for word in latin)
    return Mixture(sentence.strip(), len(_DEVANAGARI_WORDS.findall(sentence)), hindi, len(latin) - hindi)


def _script(letter: str) -> str:
    code = ord(letter)
    if not letter.isalpha() and code < 0x0900:
        return ""
    return next((script for begin, end, script in _RANGES if begin <= code <= end), "")
