"""In which language a call goes on, by the languages that its caller was heard to speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LANGUAGE, HEARD, ORDER = "language", "language_heard", "language_order"
"""Entries of a turn's journal: in which language the call goes on after it, which one the caller spoke in it, and
which order of an operator's it has taken into account.
"""

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

    `told`: what who heard them says; where it says nothing, or only what it was asked to hear, the letters do, if
    they fit one of the languages only.
    """
    known = list(dict.fromkeys(map(primary, languages)))
    told_language = primary(told)
    if told_language and told_language != primary(current):
        return told_language if told_language in known else ""
    fitting = [language for language in known if _is_written_so(words, language)]
    if primary(current) in fitting:
        return primary(current)
    if len(fitting) == 1:
        return fitting[0]
    return told_language if told_language in known else ""


def is_of_several(words: str, languages: Sequence[str]) -> bool:
    """Whether the letters fit more than one of the languages (tags)."""
    return sum(_is_written_so(words, language) for language in set(map(primary, languages))) > 1


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


def order_of(journals: Sequence[Mapping[str, str]]) -> str:
    """The newest order that these turns have taken into account, "" where there was none."""
    return next((journal[ORDER] for journal in reversed(journals) if journal.get(ORDER)), "")


def tag_among(tags: Sequence[str], wanted: str) -> str:
    """The tag that is meant by the wanted one: itself, else the first of its language; "" where there is none."""
    exact = next((tag for tag in tags if tag.lower() == wanted.lower()), "")
    return exact or next((tag for tag in tags if primary(tag) and primary(tag) == primary(wanted)), "")


def _is_written_so(words: str, language: str) -> bool:
    """Whether the first letter that tells anything is of the language's script."""
    for letter in words:
        if letter.isascii() and letter.isalpha():
            return language not in _NOT_LATIN
        for begin, end, languages in _SCRIPTS:
            if begin <= ord(letter) <= end:
                return language in languages.split()
    return False
