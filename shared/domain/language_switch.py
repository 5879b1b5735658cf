"""In which language a call goes on, by the languages that its caller was heard to speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LANGUAGE, HEARD = "language", "language_heard"
"""Entries of a turn's journal: in which language the call goes on after it, and which the caller spoke in it."""

_SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x0370, 0x03FF, "el"),
    (0x0400, 0x04FF, "ru uk bg sr"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "ar fa ur ks sd"),
    (0x0900, 0x097F, "hi mr ne sa kok mai doi brx"),
    (0x0980, 0x09FF, "bn as mni"),
    (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"),
    (0x0B00, 0x0B7F, "or"),
    (0x0B80, 0x0BFF, "ta"),
    (0x0C00, 0x0C7F, "te"),
    (0x0C80, 0x0CFF, "kn"),
    (0x0D00, 0x0D7F, "ml"),
    (0x0E00, 0x0E7F, "th"),
    (0x1C50, 0x1C7F, "sat"),
    (0x3040, 0x30FF, "ja"),
    (0x4E00, 0x9FFF, "zh ja"),
    (0xAC00, 0xD7AF, "ko"),
)
_NOT_LATIN = frozenset(language for _, _, languages in _SCRIPTS for language in languages.split())


def primary(tag: str) -> str:
    """ISO 639 of a tag; "" where it names no language."""
    language = tag.partition("-")[0].strip().lower()
    return "" if language in ("auto", "unknown", "multi", "und") else language


def heard_language(words: str, told: str, languages: Sequence[str], current: str) -> str:
    """Which of the call's `languages` (tags) the words are in, "" where that is not certain.

    `told`: what who heard them says; where it says nothing the letters do, if they fit one of the languages only.
    """
    known = [primary(tag) for tag in languages]
    if told_language := primary(told):
        return told_language if told_language in known else ""
    fitting = [language for language in known if _is_written_so(words, language)]
    if primary(current) in fitting:
        return primary(current)
    return fitting[0] if len(fitting) == 1 else ""


def next_language(current: str, heard_before: str, heard: str, languages: Sequence[str], *, is_sure: bool) -> str:
    """The tag of the language in which the call goes on: another one once it was heard in two turns running, or at
    once where the line is sure of it.
    """
    if heard and heard != primary(current) and (is_sure or heard == heard_before):
        return next((tag for tag in languages if primary(tag) == heard), current)
    return current


def language_of(journals: Sequence[Mapping[str, str]], otherwise: str) -> str:
    """The language in which a call goes on after these turns."""
    return next((journal[LANGUAGE] for journal in reversed(journals) if journal.get(LANGUAGE)), otherwise)


def _is_written_so(words: str, language: str) -> bool:
    """Whether the first letter that tells anything is of the language's script."""
    for letter in words:
        if letter.isascii() and letter.isalpha():
            return language not in _NOT_LATIN
        for begin, end, languages in _SCRIPTS:
            if begin <= ord(letter) <= end:
                return language in languages.split()
    return False
