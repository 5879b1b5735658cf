"""In which language a call goes on, by the languages that its caller was heard to speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LANGUAGE, HEARD, ORDER = "language", "language_heard", "language_order"
"""Entries of a turn's journal: in which language the call goes on after it, which one the caller spoke in it, and
which order of an operator's it has taken into account.
"""


def primary(tag: str) -> str:
    """ISO 639 of a tag; "" where it names no language."""
    language = tag.partition("-")[0].strip().lower()
    return "" if language in ("auto", "unknown", "multi", "und") else language


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
