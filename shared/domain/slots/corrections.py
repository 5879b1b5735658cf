"""What a caller takes back: of "the fifth, no, the sixth" only the sixth is meant."""

from __future__ import annotations

import re

_WORDS = (
    r"(?:oh )?(?:no(?! problem| worries| idea| thanks| matter| one|\.? ?\d)|nope|sorry|wait)|actually|rather"
    r"|correction|i mean|i meant|make (?:that|it)|scratch that|my mistake|nahi|nahin|maaf kijiye|matlab|balki"
    r"|नहीं|नही|माफ़ कीजिए|माफ कीजिए|मतलब|बल्कि|सॉरी"
)
_INSTEAD = re.compile(rf"(?:^|[\s,.;…—-])(?:(?:{_WORDS})(?=[\s,.;…—]|$)[\s,.;…—]*)+", re.IGNORECASE)
_NOT = re.compile(r"\bnot (?:on |at |the )?[^,.;]{1,40}?(?:[,.;] ?(?:but )?| but )", re.IGNORECASE)
_NOT_AT_END = re.compile(r",? (?:and )?not [^,.;]{1,40}[.!]?$", re.IGNORECASE)


def latest_first(said: str) -> list[str]:
    """The parts of what was said, the one that corrects the others first; at the end all of it."""
    said = said.strip()
    kept = _NOT_AT_END.sub("", _NOT.sub(" ", said)).strip() or said
    parts = [part.strip() for part in _INSTEAD.split(kept) if part and part.strip()]
    found = [*reversed(parts), kept, said]
    return list(dict.fromkeys(part for part in found if part))
