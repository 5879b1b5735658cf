"""Names of persons, said or spelled."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from shared.domain.slots.counting import counts_in
from shared.domain.slots.number_words import words_of
from shared.domain.slots.reading import Context, Reading, Why, none, one
from shared.domain.slots.spelled import longest_row

_END = r"(?=[\s,.!?।]|$)"
_BEFORE = re.compile(
    r"^.*?\b(?:my (?:full |first |last |sur)?name(?: is|'s|’s)|name is|the name(?:'s| is)|this is|i am called"
    r"|call me|i am|i'm|i’m|it is|it's|it’s|that's|that is|speaking is|under|mera (?:poora )?na?am|main)\b(?: for)?",
    re.IGNORECASE,
)
_BEFORE_IN_HINDI = re.compile(rf"^.*?(?:मेरा (?:पूरा )?नाम|नाम है|मैं|यह|ये|नाम){_END}")
_AFTER = re.compile(
    r"\s(?:hai|hain|hoon|hun|bol (?:raha|rahi) (?:hoon|hun)|speaking|here|है|हैं|हूँ|हूं|बोल (?:रहा|रही) (?:हूँ|हूं))"
    rf"{_END}.*$",
    re.IGNORECASE,
)
_SPELLING = re.compile(
    r"[,.;:]?\s*\b(?:that's |that is |it's )?(?:spelled|spelt|spelling is|spell it|with an? [a-z])\b.*$",
    re.IGNORECASE,
)
_SPELLED_LETTERS = re.compile(
    r"\b[A-Za-z](?: (?:as in|for) \w{1,30})?(?:[\s,.-]{1,3}(?:and )?[A-Za-z]\b(?: (?:as in|for) \w{1,30})?)+"
)
_SAID_FIRST = re.compile(
    r"^(?:(?:um|uh|er|yes|yeah|yep|ok|okay|so|well|sure|hi|hello|please|sorry|oh|haan|ji|जी|हाँ|हां|अच्छा|नमस्ते)"
    r"[\s,.!]+)+",
    re.IGNORECASE,
)
_WITH_A_LETTER = re.compile(r"\bwith (?:an? )?[a-z]\b", re.IGNORECASE)
_TITLES = re.compile(r"^(?:mr|mrs|ms|miss|dr|shri|smt|श्री|श्रीमती|डॉ)\.?\s+", re.IGNORECASE)
_NO_NAMES = words_of(
    "i you a the is are not no yes what why how when where who do does did don't know sure calling looking want need"
    " have can could can't would like about appointment order from for to hello hi thanks thank"
    " nahi nahin kya नहीं क्या चाहिए"
)
_MOST_WORDS = 5
_SIMILAR = 0.6
_FEWEST_LETTERS = 2


def read_person_name(said: str, context: Context) -> Reading:
    """As it is written; what is spelled stands for the word that sounds like it."""
    spelled = _spelled(said, context.language)
    words = _said_words(said)
    if spelled:
        if not words:
            return one(spelled)
        nearest = max(range(len(words)), key=lambda index: _likeness(words[index], spelled))
        if _likeness(words[nearest], spelled) >= _SIMILAR:
            words[nearest] = spelled
            return one(" ".join(words))
        return one(spelled)
    if not words or len(words) > _MOST_WORDS or any(word.lower() in _NO_NAMES for word in words):
        return none(Why.NOTHING)
    return one(" ".join(words))


def _spelled(said: str, language: str) -> str:
    row = longest_row(_WITH_A_LETTER.sub(" ", said), language)
    return (
        row.capitalize()
        if len(row) >= _FEWEST_LETTERS and row.isalpha() and _is_spelled_out(said, row, language)
        else ""
    )


def _is_spelled_out(said: str, row: str, language: str) -> bool:
    """Not a short name in capitals: its letters stand apart."""
    return row.lower() not in (word.lower() for word in re.findall(r"\w+", said)) or counts_in("", language) != "en"


def _said_words(said: str) -> list[str]:
    text = _SAID_FIRST.sub("", said.strip())
    text = _SPELLED_LETTERS.sub(" ", _SPELLING.sub("", text))
    for pattern in (_BEFORE, _BEFORE_IN_HINDI):
        if (found := pattern.search(f"{text} ")) and found.end() < len(text):
            text = text[found.end() :]
    text = _AFTER.sub("", f" {text.strip()}")
    text = re.split(r"[,;:!?।]|\.(?=\s|$)|\b(?:and|but|aur)\b", _TITLES.sub("", text.strip()))[0]
    words = [word.strip("\"'’.-") for word in text.split()]
    words = [word for word in words if word and not any(map(str.isdecimal, word))]
    return [word.capitalize() if word.isascii() and (word.islower() or word.isupper()) else word for word in words]


def _likeness(word: str, spelled: str) -> float:
    return SequenceMatcher(None, word.lower(), spelled.lower()).ratio()
