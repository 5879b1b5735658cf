"""Which language words are in: by their letters, by Hindi in Latin letters, and by what who heard them says.

Callers mix. A language that borrows words of another one stays what it is: the words of grammar tell, not the nouns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.domain.language_switch import primary
from shared.domain.spoken.scripts import mixture_of, script_of

_HINDI = "hi"
_WRITTEN_IN = {
    "Grek": "el",
    "Cyrl": "ru uk bg sr",
    "Hebr": "he",
    "Arab": "ar fa ur ks sd",
    "Deva": "hi mr ne sa kok mai doi brx",
    "Beng": "bn as mni",
    "Guru": "pa",
    "Gujr": "gu",
    "Orya": "or",
    "Taml": "ta",
    "Telu": "te",
    "Knda": "kn",
    "Mlym": "ml",
    "Thai": "th",
    "Olck": "sat",
    "Jpan": "ja",
    "Hani": "zh ja",
    "Kore": "ko",
}
"""Languages by script; all others are written in Latin letters."""
_NOT_LATIN = frozenset(language for languages in _WRITTEN_IN.values() for language in languages.split())
_LEAST_SHARE = 0.34
"""Of the words in letters of its own a language has so many at least; fewer are names and borrowed words."""
_COURTESIES = "ok okay yes yeah yep no hello hi hey bye goodbye thanks thank you please sorry sir madam right fine"
_OF_EVERYONE = frozenset(_COURTESIES.split())
"""English words that callers say in any language."""
_WORDS = re.compile(r"[^\W\d_](?:[^\W_]|[\u0300-\u036f\u0900-\u0dff'’]){0,60}")


def heard_language(words: str, told: str, languages: Sequence[str], current: str) -> str:
    """Which of the call's `languages` (tags) the words are in, "" where that is not certain.

    `told`: what who heard them says. Where it says nothing, or only what it was asked to hear, the words themselves
    do; and where it says the language of Latin letters of words that are of another one.
    """
    known = list(dict.fromkeys(map(primary, languages)))
    current, told = primary(current), primary(told)
    fitting = _fitting(words, known, current)
    is_contradicted = told not in _NOT_LATIN and len(fitting) == 1 and fitting[0] in _NOT_LATIN
    if told and told != current and not is_contradicted:
        return told if told in known else ""
    if not fitting:
        return told if told in known else ""
    if _is_of_everyone(words):
        return ""
    return current if current in fitting else fitting[0] if len(fitting) == 1 else ""


def is_of_several(words: str, languages: Sequence[str]) -> bool:
    """Whether the words fit more than one of the languages (tags)."""
    return len(_fitting(words, list(dict.fromkeys(map(primary, languages))), "")) > 1


def _fitting(words: str, known: Sequence[str], current: str) -> list[str]:
    """Those of the known languages that the words may be in."""
    script = _main_script(words)
    if not script:
        return []
    fitting = [language for language in known if language in _WRITTEN_IN.get(script, "").split()]
    if script != "Latn":
        return fitting
    mixture = mixture_of(words)
    if _HINDI in known and mixture.is_roman_hindi:
        return [_HINDI]
    if current == _HINDI and mixture.is_mixed:
        return [_HINDI]
    return [language for language in known if language not in _NOT_LATIN]


def _main_script(words: str) -> str:
    """The script of most words, of those in other letters than Latin ones if they are no few."""
    scripts = [script for word in _WORDS.findall(words) if (script := script_of(word))]
    others = [script for script in scripts if script != "Latn"]
    telling = others if len(others) >= _LEAST_SHARE * len(scripts) else scripts
    return max(dict.fromkeys(telling), key=telling.count, default="")


def _is_of_everyone(words: str) -> bool:
    return all(word.lower() in _OF_EVERYONE for word in _WORDS.findall(words))
