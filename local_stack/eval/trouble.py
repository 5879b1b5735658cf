"""What keeps an evaluation from being made at all."""

from __future__ import annotations


class CannotEvaluate(Exception):
    """The stack, the app or a model does not do what an evaluation needs; one line."""
