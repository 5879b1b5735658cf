"""Numbers as words, in English and nine languages of India."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LANGUAGES = frozenset(("en", "hi", "ta", "te", "kn", "ml", "bn", "mr", "gu"))
_CRORE, _LAKH, _THOUSAND = 10_000_000, 100_000, 1_000
_MOST_DIGITS = {"en": 15, "hi": 14}
"""So long may a number be that is said as one; for the others nine digits, as far as the library goes."""
_ENGLISH_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (_THOUSAND, "thousand"))
_INDIAN_SCALES = ((_CRORE, "crore"), (_LAKH, "lakh"), (_THOUSAND, "thousand"))

_KANNADA_HUNDREDS = ["ನೂರ", "ಇನ್ನೂರ", "ಮುನ್ನೂರ", "ನಾನೂರ", "ಐನೂರ", "ಆರುನೂರ", "ಏಳುನೂರ", "ಎಂಟುನೂರ", "ಒಂಬೈನೂರ"]
_RESPELLED = {"kn": {83: "ಎಂಬತ್ತ್ಮೂರು"}, "ta": {81: "எண்பத்து ஒன்று", 89: "எண்பத்து ஒன்பது"}}
"""Where the library is mistaken."""

_ORDINALS = {
    1: "first",
    2: "second",
    3: "third",
    5: "fifth",
    8: "eighth",
    9: "ninth",
    12: "twelfth",
}
_HINDI_ORDINALS = {1: "पहला", 2: "दूसरा", 3: "तीसरा", 4: "चौथा", 6: "छठा"}


def cardinal(number: int, language: str, region: str = "") -> str:
    """The number in words; one that is too long for that, digit by digit. `region`: of English, "IN" counts in
    lakh and crore.
    """
    if number < 0 or language not in _LANGUAGES or number >= 10 ** _MOST_DIGITS.get(language, 9):
        return digits(str(abs(number)), language)
    if language == "en":
        return _english(number, _INDIAN_SCALES if region == "IN" else _ENGLISH_SCALES)
    if language == "kn":
        return _kannada(number)
    if language == "hi" and number >= 10 * _CRORE:
        crores, rest = divmod(number, _CRORE)
        return f"{cardinal(crores, language)} करोड़{' ' + cardinal(rest, language) if rest else ''}"
    return _from_library(number, language)


def digits(written: str, language: str) -> str:
    """Each digit for itself."""
    return " ".join(_from_library(int(digit), language) for digit in written if digit.isdecimal())


def ordinal(number: int, language: str, region: str = "") -> str:
    """The number as a place in a row, in English and Hindi; in the other languages the number itself."""
    words = cardinal(number, language, region)
    if language == "hi":
        return _HINDI_ORDINALS.get(number, f"{words}वाँ")
    if language != "en":
        return words
    before, _, last = words.rpartition(" ")
    units = number % 100 if number % 100 in _ORDINALS else number % 10
    is_unit = number % 100 not in (10, 11, 13, 14, 15, 16, 17, 18, 19) and units in _ORDINALS
    if is_unit:
        last = _ORDINALS[units]
    else:
        last = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}{'h' if last.endswith('t') else 'th'}"
    return f"{before} {last}".strip()


def year(number: int, language: str, region: str = "") -> str:
    """A year: in English by its halves."""
    century, rest = divmod(number, 100)
    if language == "hi" and 1100 <= number < 2000:
        return f"{cardinal(century, language)} सौ{' ' + cardinal(rest, language) if rest else ''}"
    if language != "en" or not 1100 <= number < 2100 or number == 2000:
        return cardinal(number, language, region)
    if 2000 < number < 2010:
        return f"two thousand {cardinal(rest, language)}"
    if not rest:
        return f"{cardinal(century, language)} hundred"
    return f"{cardinal(century, language)} {'oh ' if rest < 10 else ''}{cardinal(rest, language)}"


def _english(number: int, scales: tuple[tuple[int, str], ...]) -> str:
    parts = []
    for size, name in scales:
        count, number = divmod(number, size)
        if count:
            parts.append(f"{_english(count, scales) if count >= _THOUSAND else _from_library(count, 'en')} {name}")
    if number or not parts:
        joint = "and " if parts and number < 100 else ""
        parts.append(f"{joint}{_from_library(number, 'en')}")
    return " ".join(parts)


def _kannada(number: int) -> str:
    """The library does only the numbers below a hundred right."""
    if number < 100:
        return _from_library(number, "kn")
    if number < _THOUSAND:
        hundreds, rest = divmod(number, 100)
        name = _KANNADA_HUNDREDS[hundreds - 1]
        return f"{name} {_kannada(rest)}" if rest else f"{name}ು"
    for size, name in ((_CRORE, "ಕೋಟಿ"), (_LAKH, "ಲಕ್ಷ"), (_THOUSAND, "ಸಾವಿರ")):
        if number >= size:
            count, rest = divmod(number, size)
            joint = "ದ" if size < _CRORE else ""
            return f"{_kannada(count)} {name}{f'{joint} {_kannada(rest)}' if rest else ''}"
    return ""


@lru_cache(maxsize=4_096)
def _from_library(number: int, language: str) -> str:
    if words := _RESPELLED.get(language, {}).get(number):
        return words
    from indic_numtowords import num2words  # noqa: PLC0415 - slow import

    words = unicodedata.normalize("NFC", str(num2words(str(number), lang=language)))
    words = " ".join(words.replace("\u200c", "").split())
    if language == "ta":
        words = words.replace("எண்பத்து ஓன்று", "எண்பத்து ஒன்று").replace("எண்பத்து ஓன்பது", "எண்பத்து ஒன்பது")
    return words.replace("हज़ार", "हजार") if language == "mr" else words
