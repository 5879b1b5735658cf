"""Sarvam's names of languages. Source: https://pypi.org/project/sarvamai/0.1.39, its types of `language_code`; those
of a voice agent: `SarvamToolLanguageName` of https://pypi.org/project/sarvam-conv-ai-sdk/1.1.1
"""

from __future__ import annotations

_HEARD = "as bn brx doi en gu hi kn kok ks mai ml mni mr ne or pa sa sat sd ta te ur"
_SPOKEN = "bn en gu hi kn ml mr or pa ta te"
HEARD = frozenset(_HEARD.split())
"""Speech to text, and translation by its larger model; ISO 639, Odia being `or`."""
SPOKEN = frozenset(_SPOKEN.split())
"""Text to speech, identification of texts, and transliteration."""
_ODIA = "or"
_NAMES = {
    "as": "Assamese",
    "bn": "Bengali",
    "en": "English",
    "gu": "Gujarati",
    "hi": "Hindi",
    "kn": "Kannada",
    "kok": "Konkani",
    "ml": "Malayalam",
    "mr": "Marathi",
    "or": "Odia",
    "pa": "Punjabi",
    "ta": "Tamil",
    "te": "Telugu",
}
_OF_NAMES = {name.lower(): language for language, name in _NAMES.items()}
_SCRIPTS = (
    (0x0980, "bn"),
    (0x0A00, "pa"),
    (0x0A80, "gu"),
    (0x0B00, "or"),
    (0x0B80, "ta"),
    (0x0C00, "te"),
    (0x0C80, "kn"),
    (0x0D00, "ml"),
    (0x0900, "hi"),
)
"""Where the block of a script begins, and the language of most that is written in it."""
_BLOCK = 0x80


def language_of(code: str) -> str:
    """ISO 639 of a tag or of one of Sarvam's codes (`hi-IN`, `od-IN`), in small letters; "" of what names none."""
    language = code.partition("-")[0].strip().lower()
    if language in ("", "auto", "unknown", "multi"):
        return ""
    return _ODIA if language == "od" else language


def socket_language(tag: str) -> str:
    """For the realtime socket; a language that Sarvam does not know is left to its detection."""
    return _named(tag, odia="or-IN", detect="auto")


def request_language(tag: str) -> str:
    """For requests, which have another name for Odia and for detection."""
    return _named(tag, odia="od-IN", detect="unknown")


def voice_language(tag: str, text: str) -> str | None:
    """For a voice that is to say this; None where none speaks the language. Without a tag the script tells it."""
    language = language_of(tag) or _language_of_script(text)
    if language not in SPOKEN:
        return None
    return "od-IN" if language == _ODIA else f"{language}-IN"


def agent_language(tag: str) -> str | None:
    """As a voice agent calls it (`Hindi`); None where it has no name for it."""
    return _NAMES.get(language_of(tag))


def of_agent(name: str) -> str:
    """ISO 639 of what a voice agent calls a language, or of a code; "" where there is no such name."""
    return _OF_NAMES.get(name.strip().lower(), "") or (language_of(name) if language_of(name) in HEARD else "")


def _named(tag: str, *, odia: str, detect: str) -> str:
    language = language_of(tag)
    if language == _ODIA:
        return odia
    return f"{language}-IN" if language in HEARD else detect


def _language_of_script(text: str) -> str:
    """By the first letter that is of an Indic script."""
    for letter in text:
        for begin, language in _SCRIPTS:
            if begin <= ord(letter) < begin + _BLOCK:
                return language
    return "en"
