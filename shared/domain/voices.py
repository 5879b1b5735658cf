"""How a voice is asked for: by its name, and behind an `@` the language that it is to speak, unless it is plain
English.
"""

from __future__ import annotations

_BETWEEN = "@"
_AS_THE_TEXT_IS = frozenset(("", "en", "auto", "unknown"))


def in_language(voice: str, tag: str) -> str:
    """The voice, to speak the language of a tag; one that is asked for without a language speaks as the text is. A
    region stays, of English too: numbers, amounts and dates are said differently in India and in the United States.
    """
    return voice if tag.lower() in _AS_THE_TEXT_IS else f"{voice}{_BETWEEN}{tag}"


def name_of(voice: str) -> str:
    return voice.partition(_BETWEEN)[0]


def language_of(voice: str) -> str:
    """The tag of the language, "" where none is asked for."""
    return voice.partition(_BETWEEN)[2]
