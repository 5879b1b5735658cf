"""Cuts a text that arrives in tokens into sentences as soon as each is whole, so that speaking can begin.

Of the first sentence the first clause is enough.
"""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "sr",
        "jr",
        "st",
        "no",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "a.m",
        "p.m",
        "approx",
        "dept",
        "inc",
        "ltd",
        "co",
        "tel",
        "ext",
        "pvt",
        "rs",
        "www",
        "डॉ",
        "रु",
    ]
)
QUESTION_MARKS = "?？؟"
SENTENCE_ENDS = f".!।॥。！｡۔{QUESTION_MARKS}"
"""Marks that end a sentence: of Latin letters, of Hindi and its kin, of Chinese and Japanese, of Urdu and Arabic."""
_NEVER_WITHIN = "।॥。！？｡۔؟"
"""Marks behind which the next sentence may begin without a space."""
_MARKS = f"{SENTENCE_ENDS}…"
_CLOSERS = "\"')]”’」』）"
_ENDINGS = re.compile(f"[{_MARKS}]+[{re.escape(_CLOSERS)}]*")
_CLAUSE_ENDINGS = re.compile(r"[,;:–—،؛](?=\s|$)|[、，；：]")
_LONGEST_CLAUSE_CHARACTERS = 80
_INITIALS = re.compile(r"[^\W\d](\.[^\W\d])*")
_WORD_BEFORE = re.compile(r"(\S+)$")


def _ends_sentence(before: str, mark: str, following: str) -> bool:
    """Whether `mark` closes the sentence `before`; `following` is the character after it, "" if there is none yet."""
    if following and not following.isspace():
        return any(sign in _NEVER_WITHIN for sign in mark)
    if mark[0] != ".":
        return True
    found = _WORD_BEFORE.search(before)
    word = found.group(1).lower().strip("\"'([“‘") if found else ""
    if word in _ABBREVIATIONS or _INITIALS.fullmatch(word):
        return False
    if word.isdecimal() and word == before.strip():
        return False  # the number of an item in a list
    # A dot after digits may still be followed by more digits ("3.50"), after others by more of a name.
    return bool(following) or (word.isalpha() and len(word) > 1)


class SentenceSplitter:
    """Feed it tokens; it gives back whole sentences, trimmed, each with a letter or a digit in it. The very first
    piece may be a clause: what stands before the first comma, with it.

    A sentence goes out as soon as its mark is there, before it is known what follows: further marks and closing
    quotes that come with the next token ("?" and then "!") are dropped, and a name that is torn at its dot
    ("example." and then "com") is cut there.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._cut_at_end = False
        self._has_begun = False

    def feed(self, token: str) -> list[str]:
        """The sentences that `token` completes, in order."""
        self._pending += token
        if self._cut_at_end:
            self._pending = self._pending.lstrip(_MARKS + _CLOSERS)
            self._cut_at_end = not self._pending
        sentences: list[str] = [] if self._has_begun else self._first_clause()
        start = 0
        for match in _ENDINGS.finditer(self._pending):
            following = self._pending[match.end() : match.end() + 1]
            if _ends_sentence(self._pending[start : match.start()], match.group(), following):
                sentences += _spoken(self._pending[start : match.end()])
                start = match.end()
        self._pending = self._pending[start:]
        self._cut_at_end = self._cut_at_end or (start > 0 and not self._pending)
        self._has_begun = self._has_begun or bool(sentences)
        return sentences

    def _first_clause(self) -> list[str]:
        """What the caller can hear first, long before the sentence is whole."""
        found = _CLAUSE_ENDINGS.search(self._pending)
        if found is None or found.start() > _LONGEST_CLAUSE_CHARACTERS:
            return []
        before = self._pending[: found.start()]
        following = self._pending[found.end() : found.end() + 1]
        if _ENDINGS.search(before) or (before[-1:].isdigit() and not following):
            return []  # the sentence ends sooner, or more digits may come
        self._pending = self._pending[found.end() :]
        return _spoken(f"{before}{found.group()}")

    def flush(self) -> list[str]:
        """What is left when the text has ended."""
        rest, self._pending, self._cut_at_end = self._pending, "", False
        return _spoken(rest)


def _spoken(text: str) -> list[str]:
    """The text as a sentence, or nothing if there is nothing in it to say."""
    return [text.strip()] if any(character.isalnum() for character in text) else []


def ends_sentence(text: str) -> bool:
    """Whether a text that the splitter gave out is, or ends, a whole sentence, and not a clause."""
    return _CLAUSE_ENDINGS.search(text.strip()[-1:]) is None
