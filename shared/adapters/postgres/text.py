"""What PostgreSQL's text can hold: any text but NUL and halves of surrogate pairs."""

from __future__ import annotations

from collections.abc import Iterable


def storable(text: str) -> str:
    """The text without NUL, and with `?` for halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def are_storable(values: Iterable[object]) -> bool:
    """Whether the database can hold these values at all; it has none that are equal to the others."""
    return all(storable(value) == value for value in values if isinstance(value, str))
