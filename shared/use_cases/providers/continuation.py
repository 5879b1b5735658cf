"""Joins the text of two models that wrote one answer: the second goes on where the first broke off."""

from __future__ import annotations

from collections.abc import Sequence

from shared.ports.language_model import Message

_INSTRUCTION = (
    "The connection broke while you were speaking: the caller has heard your words up to there. Go on with the very "
    "next word. Write only what is missing, repeat nothing, and do not mention the interruption."
)


def continuing(messages: Sequence[Message], said: str) -> list[Message]:
    """What to ask another model, so that it finishes an answer that another one began."""
    return [*messages, Message("assistant", said), Message("system", _INSTRUCTION)]


_UNMISTAKABLE = 12
"""Characters: no text begins with as many of another one's by chance."""


class Continuation:
    """What is new in the second model's tokens. Models that begin the whole answer again, word for word, are cut
    where the first one stopped; one that says the same in other words is not found out.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        self._pending = ""
        self._begun = False

    def push(self, token: str) -> str:
        """What is to be given of the next token; nothing while it may be a repetition."""
        if self._begun:
            return token
        self._pending += token
        fresh, repeated = self._pending.lstrip(), self._said.lstrip()
        if len(fresh) <= len(repeated) and repeated.startswith(fresh):
            return ""
        self._begun = True
        follows = fresh[len(repeated) :]
        if fresh.startswith(repeated) and (len(repeated) >= _UNMISTAKABLE or not follows[0].isalnum()):
            return follows
        return self._joined()

    def flush(self) -> str:
        """What is left at the end: less than a repetition of what was said is none."""
        if self._begun or self._pending.strip() in ("", self._said.strip()):
            return ""
        return self._joined()

    def _joined(self) -> str:
        """Models begin without the space that their predecessor's last word needs."""
        needs_space = self._said[-1:].strip() and self._pending[0].isalnum()
        return f" {self._pending}" if needs_space else self._pending
