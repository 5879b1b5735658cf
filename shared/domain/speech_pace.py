"""How long a text takes to be spoken, where nobody tells us."""

from __future__ import annotations

_LETTER_MS = 65
_SYLLABLE_MS = 220
"""Of scripts that write a syllable or a word with one sign."""
_BREATH_MS = 250
_WIDE = ((0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
"""Source: Unicode blocks CJK, kana, hangul."""


def spoken_ms(text: str) -> float:
    """At an ordinary pace; voices differ by a third."""
    if not text.strip():
        return 0.0
    return _BREATH_MS + sum(_SYLLABLE_MS if _is_wide(ord(sign)) else _LETTER_MS for sign in text)


def _is_wide(code: int) -> bool:
    return any(low <= code <= high for low, high in _WIDE)
