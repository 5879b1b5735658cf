"""Words by which a listener says "I am with you, go on", in several languages: they take no turn."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_HUMS = "mm|mmm|mmmm|mhm|mmhm|mhmm|mmhmm|hm|hmm|hmmm|uhhuh|ah|aha|oh|ooh|huh|uh|um|eh"
"""Sounds that mean nothing more in any language, as recognisers spell them."""

_PHRASES: dict[str, str] = {
    "en": "yeah|yea|yep|yup|yes|ok|okay|kay|right|alright|all right|sure|i see|got it|gotcha|uh huh|mm hmm|mm hm|"
    "uhum|wow|really|nice|good|great|cool|fine|exactly|true|indeed|of course|makes sense|fair enough|go on|oh okay|"
    "oh i see|interesting",
    "hi": "हाँ|हां|हा|जी|जी हाँ|जी हां|हाँ जी|हां जी|अच्छा|ठीक|ठीक है|सही|सही है|बिल्कुल|हम्म|हूँ|हूं|हम|ओके|ओह|अरे|"
    "haan|han|ji|haan ji|ji haan|accha|acha|theek|theek hai|thik hai|sahi|sahi hai|bilkul|hmm",
    "ta": "ஆமா|ஆமாம்|சரி|ம்ம்|ஓகே|aama|aamaam|sari|seri",
    "te": "అవును|సరే|ఊ|ఓకే|avunu|sare",
    "bn": "হ্যাঁ|হুম|আচ্ছা|ঠিক আছে|haan|accha|thik ache",
    "mr": "हो|बरं|ठीक आहे|अच्छा|ho|bara|thik ahe",
    "es": "sí|si|vale|claro|ya|bueno|ajá|de acuerdo|entiendo|exacto|muy bien|perfecto",
    "fr": "oui|ouais|d'accord|ok|voilà|bien sûr|je vois|entendu|très bien|exactement",
    "de": "ja|jaja|okay|genau|gut|klar|stimmt|ach so|verstehe|alles klar|natürlich|richtig|sicher|mhm",
    "pt": "sim|tá|tá bom|certo|claro|entendi|pois|isso|ok|está bem",
    "it": "sì|si|va bene|certo|ok|capisco|esatto|giusto|ho capito|d'accordo",
    "nl": "ja|jawel|oké|precies|goed|klopt|inderdaad|duidelijk",
}
_MOST_PHRASES_IN_A_ROW = 4


def normalised(text: str) -> str:
    """Lower case, without accents of Latin letters' typography, punctuation and repeated spaces; apostrophes and
    hyphens within words fall away: "Uh-huh!" and "uh huh" are not told apart from "uhhuh" but by their spaces.
    """
    text = unicodedata.normalize("NFC", text).casefold()
    kept = "".join(character if _is_letter(character) else "" if character in "'’‑-" else " " for character in text)
    return " ".join(kept.split())


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def phrases_of(language: str, own: Iterable[str] = ()) -> frozenset[str]:
    """The phrases that take no turn, normalised: an agent's own, or those of its language ("hi", "hi-IN")."""
    chosen = [phrase for phrase in own if phrase.strip()]
    if not chosen:
        chosen = _PHRASES.get(language.replace("_", "-").partition("-")[0].casefold(), "").split("|")
    return frozenset(normalised(phrase) for phrase in [*chosen, *_HUMS.split("|")] if phrase)


def is_backchannel(text: str, phrases: frozenset[str]) -> bool:
    """Whether `text` is nothing but one or a few of `phrases` in a row ("yeah yeah, okay")."""
    words = normalised(text).split()
    rows = [0, *([_MOST_PHRASES_IN_A_ROW + 1] * len(words))]
    for end in range(1, len(words) + 1):
        for begin in range(max(0, end - 3), end):
            if " ".join(words[begin:end]) in phrases:
                rows[end] = min(rows[end], rows[begin] + 1)
    return 0 < rows[-1] <= _MOST_PHRASES_IN_A_ROW
