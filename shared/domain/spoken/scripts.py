"""In which letters a text is written, how languages mix in it, and Hindi in the letters that voices read best."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from shared.domain.sentences import SENTENCE_ENDS
from shared.domain.spoken.roman_hindi import DEVANAGARI, DOUBTFUL

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
    (0x1C50, 0x1C7F, "Olck"),
    (0x3040, 0x30FF, "Jpan"),
    (0x4E00, 0x9FFF, "Hani"),
    (0xAC00, 0xD7AF, "Kore"),
)
_SENTENCES = re.compile(rf"[^{SENTENCE_ENDS}\n]{{1,2000}}[{SENTENCE_ENDS}\n]{{0,3}}")
_OF_INDIA = {
    "Deva": ("hi", "mr"),
    "Beng": ("bn",),
    "Gujr": ("gu",),
    "Taml": ("ta",),
    "Telu": ("te",),
    "Knda": ("kn",),
    "Mlym": ("ml",),
}
"""Languages written so, the one with most speakers first."""
_ENGLISH_OF_INDIA = "en-IN"
_FEWEST_ENGLISH_WORDS = 3
_LATIN_WORDS = re.compile(r"[A-Za-z]{1,40}(?:['’][A-Za-z]{1,10})?")
_DEVANAGARI_WORDS = re.compile(r"[\u0900-\u0963\u0970-\u097f]{1,60}")
_FEWEST_HINDI_WORDS = 2
_LEAST_SHARE, _LEAST_MIXED = 0.34, 0.15


@dataclass(frozen=True, slots=True)
class Mixture:
    """One sentence: how many of its words are in Devanagari, Hindi in Latin letters, or others in Latin letters.
    `doubtful`: how many of the Hindi ones are words of other languages as well.
    """

    sentence: str
    devanagari: int
    roman_hindi: int
    latin: int
    doubtful: int = 0

    @property
    def hindi_share(self) -> float:
        """0 to 1 of the words in these two scripts."""
        words = self.devanagari + self.roman_hindi + self.latin
        return (self.devanagari + self.roman_hindi) / words if words else 0.0

    @property
    def is_mixed(self) -> bool:
        """Whether enough of it is Hindi for it to be more than a name in another language."""
        return self.devanagari + self.roman_hindi > self.doubtful and self.hindi_share >= _LEAST_MIXED

    @property
    def is_roman_hindi(self) -> bool:
        """Whether its Latin letters are Hindi, with or without English words among them."""
        if self.roman_hindi == self.doubtful:
            return False
        share = self.roman_hindi / (self.roman_hindi + self.latin)
        return share >= _LEAST_SHARE and (self.roman_hindi >= _FEWEST_HINDI_WORDS or not self.latin)


def script_shares(text: str) -> dict[str, float]:
    """The scripts (ISO 15924) of a text's letters, the most frequent first."""
    counts = Counter(script for letter in text if (script := _script(letter)))
    return {script: count / counts.total() for script, count in counts.most_common()}


def script_of(text: str) -> str:
    """The script of most letters; "" where there are none."""
    return next(iter(script_shares(text)), "")


def language_of_script(script: str, tag: str = "") -> str:
    """The language of India that is written in it, the tag's own where it is one of them; "" for other scripts."""
    languages = _OF_INDIA.get(script, ("",))
    return _language(tag) if _language(tag) in languages else languages[0]


def language_written(text: str, tag: str) -> str:
    """The tag of the language that a text is in, where that of `tag` was asked for: models answer in the language of
    the question, whatever they were told.
    """
    script = script_of(text)
    if language := language_of_script(script, tag):
        return tag if _language(tag) == language else language
    if script != "Latn" or not any(_language(tag) in languages for languages in _OF_INDIA.values()):
        return tag
    mixture = mixture_of(text)
    is_english = mixture.latin >= _FEWEST_ENGLISH_WORDS and not mixture.hindi_share
    return _ENGLISH_OF_INDIA if is_english else tag


def mixtures(text: str) -> list[Mixture]:
    """Each sentence with its share of languages."""
    return [mixture_of(found.group()) for found in _SENTENCES.finditer(text) if found.group().strip()]


def mixture_of(sentence: str) -> Mixture:
    """Of a text that is taken as one sentence."""
    latin = [word.lower() for word in _LATIN_WORDS.findall(sentence)]
    hindi = [word for word in latin if word in DEVANAGARI]
    return Mixture(
        sentence.strip(),
        devanagari=len(_DEVANAGARI_WORDS.findall(sentence)),
        roman_hindi=len(hindi),
        latin=len(latin) - len(hindi),
        doubtful=sum(word in DOUBTFUL for word in hindi),
    )


def in_devanagari(text: str) -> str:
    """Hindi words in Latin letters as Hindi is written, in sentences that are Hindi; all else as it is."""
    return _SENTENCES.sub(lambda found: _rewritten(found.group()), text)


def _rewritten(sentence: str) -> str:
    if not mixture_of(sentence).is_roman_hindi:
        return sentence
    return _LATIN_WORDS.sub(lambda word: DEVANAGARI.get(word.group().lower(), word.group()), sentence)


def _script(letter: str) -> str:
    code = ord(letter)
    if not letter.isalpha() and code < 0x0900:
        return ""
    return next((script for begin, end, script in _RANGES if begin <= code <= end), "")


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()
