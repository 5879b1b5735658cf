"""Names and addresses as callers say them, found by what stands before them; no list of names is long enough."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]+"
_ANY = r"[^\W\d_][\w'’\u0900-\u0903\u093a-\u094f-]*"
_STATED = re.compile(
    r"(?i:\bmy (?:full |first |last )?name(?:'s| is)|\bsurname is|\bI am called|\bcall me|\bmera na+m|\bname is"
    r"|मेरा नाम|नाम है)\s*:?\s*(?P<name>" + rf"{_ANY}(?:[ ]{_ANY}){{0,2}})"
)
_INTRODUCED = re.compile(
    r"\b(?i:this is|I'm|I’m|I am|speaking to|speaking with)\s+"
    rf"(?P<name>{_CAPITAL}(?:[ ]{_CAPITAL}){{0,2}})"
)
_TITLED = re.compile(
    r"\b(?i:Mr|Mrs|Ms|Miss|Mister|Madam|Dr|Doctor|Shri|Smt|Frau|Herr)\.?\s+"
    rf"(?P<name>{_CAPITAL}(?:[ ]{_CAPITAL}){{0,2}})"
)
_AFTER_NAMES = """
a an and the is am are not sorry calling here hai hain है हूँ हूं my i from with of on to for but so then it that this
what speaking looking trying happy glad just very also ji okay ok yes no please thanks thank you your me new still
monday tuesday wednesday thursday friday saturday sunday customer agent mr mrs ms miss dr doctor shri smt frau herr
"""
_NO_NAMES = frozenset(_AFTER_NAMES.split())
_WAYS = (
    r"street|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|way|close|court|square|terrace|crescent|nagar|marg"
    r"|colony|chowk|gali|layout|enclave|vihar|straße|strasse|platz|allee"
)
_ADDRESSES = (
    re.compile(rf"\b\d{{1,5}}[A-Za-z]?,?\s+(?:[\w'’.-]+\s+){{1,4}}(?:{_WAYS})\b", re.IGNORECASE),
    re.compile(
        rf"\b{_CAPITAL}(?:straße|strasse|weg|platz|allee)?\s+(?:Straße|Strasse|Weg)?\s*\d{{1,4}}[a-z]?,\s*\d{{5}}\b"
    ),
    re.compile(
        r"\b(?:flat|house|plot|apartment|apt|door|sector)\s*(?:no\.?|number)?\s*[\dA-Z]+[\w/-]*"
        r"(?:,\s*[^,.?!\n]{2,40}){0,3}",
        re.IGNORECASE,
    ),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b"),
)
_AFTER_ADDRESS = re.compile(
    r"(?i:\b(?:my (?:home |postal |billing |delivery |shipping )?address(?:'s| is)|(?:I|we) live (?:at|on|in)"
    r"|mera pata|मेरा पता))\s*:?\s*(?P<where>[^.?!।\n\[]{3,120})"
)


def names_in(text: str) -> Iterator[str]:
    """The names that somebody gives in it, as they stand there."""
    for pattern in (_STATED, _INTRODUCED, _TITLED):
        for match in pattern.finditer(text):
            if name := _trimmed(match.group("name")):
                yield name


def _trimmed(found: str) -> str:
    """Without the words that only follow a name."""
    kept: list[str] = []
    for word in found.split():
        if word.lower().strip(".,'’") in _NO_NAMES:
            break
        kept.append(word.strip(".,"))
    return " ".join(kept)


def addresses_in(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand in it."""
    for pattern in _ADDRESSES:
        for match in pattern.finditer(text):
            yield match.span()
    for match in _AFTER_ADDRESS.finditer(text):
        yield match.span("where")
