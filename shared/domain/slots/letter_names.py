"""Letters as they are said: by themselves, by alphabets for spelling, by the sound of their names."""

from __future__ import annotations

from functools import lru_cache

from shared.domain.slots.number_words import folded, words_of
from shared.domain.spoken.tongues import HINDI

_ALPHABET = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa "
    "quebec romeo sierra tango uniform victor whiskey whisky xray x-ray yankee zulu"
)
_SOUNDS = {
    "A": "ay",
    "B": "bee",
    "C": "cee see sea",
    "D": "dee",
    "E": "ee",
    "F": "ef eff",
    "G": "gee jee",
    "H": "aitch haitch etch",
    "I": "eye",
    "J": "jay",
    "K": "kay",
    "L": "el ell",
    "M": "em",
    "N": "en",
    "O": "oh",
    "P": "pee",
    "Q": "cue queue kyu",
    "R": "are ar",
    "S": "ess es",
    "T": "tee tea",
    "U": "you yu",
    "V": "vee",
    "W": "doubleyou dublu",
    "X": "ex eks",
    "Y": "why wai",
    "Z": "zee zed jed",
}
_DEVANAGARI_MORE = {
    "F": "एफ",
    "D": "डि",
    "E": "इ",
    "A": "अ",
    "C": "सि",
    "H": "एच ऐच",
    "I": "आइ",
    "L": "ऐल",
    "M": "ऐम",
    "N": "ऐन",
    "S": "ऐस",
    "W": "डबल्यू डब्लू",
    "X": "ऐक्स",
    "Y": "वाय",
    "Z": "जेड",
}
_WORDS_AS_WELL = words_of(
    "a i o alpha delta echo hotel india mike oscar papa victor uniform november golf see sea are you why oh eye tea"
    " bee gee ex en es el em in इ ए के सी अ ओ"
)
"""Letters only beside other letters."""


@lru_cache(maxsize=1)
def letter_names() -> dict[str, str]:
    """Letters by their names, as folded words."""
    found = {word: word[0].upper() for word in _ALPHABET.split()}
    for letter, words in _SOUNDS.items():
        found.update(dict.fromkeys(words.split(), letter))
    for number, name in enumerate(HINDI.letters):
        found[folded(name)] = chr(ord("A") + number)
    for letter, words in _DEVANAGARI_MORE.items():
        found |= {folded(word): letter for word in words.split()}
    return found | {chr(code).lower(): chr(code) for code in range(ord("A"), ord("Z") + 1)}


@lru_cache(maxsize=1)
def doubtful_names() -> frozenset[str]:
    """Those that are words as well."""
    return frozenset(map(folded, _WORDS_AS_WELL))
