"""Joins the text of two models that wrote one answer: the second goes on where the first broke off."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.repetition import Kind, Repetition, is_wide
from shared.ports.language_model import Message

_INSTRUCTION = (
    "Your answer broke off. Begin with the word that comes directly after these words of yours, which the caller has "
    "heard, and finish the sentence. Repeat nothing, and do not mention the interruption:"
)

_ANEW = (
    "Your answer broke off after these words of yours, which the caller has heard. If a tool is needed, call it now; "
    "otherwise begin with the word that comes directly after them and finish. Repeat nothing, and do not mention the "
    "interruption:"
)


def continuing(messages: Sequence[Message], said: str, *, with_tools: bool = False) -> list[Message]:
    """What to ask another model, so that it finishes an answer that another one began. What was said comes last:
    servers that let a model write on from an unfinished answer do it so, and small models do nothing else as well.
    `with_tools`: what broke off may have been a tool call, of which nothing is known: it is decided anew.
    """
    if with_tools:
        return [*messages, Message("system", f"{_ANEW}\n{said}")]
    return [*messages, Message("system", _INSTRUCTION), Message("assistant", said)]


class Continuation:
    """What is new in the second model's tokens. Models that say again what was said, from its beginning, from that of
    a sentence or from some word on, are cut where the first one stopped; of one that begins anew and then says
    something else, the sentences that were said are left out. One that says the same in other words is not found out.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        self._repetition = Repetition(said)
        self._pending = ""
        self._begun = False

    def push(self, token: str) -> str:
        """What is to be given of the next token; nothing while it may be a repetition."""
        if self._begun:
            return token
        self._pending += token
        return self._given(is_whole=False)

    def flush(self) -> str:
        """What is left at the end: less than a repetition of what was said is none."""
        if self._begun or self._pending.strip() in ("", self._said.strip()):
            return ""
        return self._given(is_whole=True)

    def _given(self, *, is_whole: bool) -> str:
        finding = self._repetition.find(self._pending, is_whole=is_whole)
        if finding.kind is Kind.UNKNOWN:
            return ""
        self._begun = True
        fresh = self._pending[finding.fresh_from :]
        match finding.kind:
            case Kind.REPEATED:
                return fresh.lstrip() if self._said[-1:].isspace() else fresh
            case Kind.REPHRASED if not self._repetition.has_ended:
                return f" – {fresh.lstrip()}"  # what was begun is left as it is, and said otherwise
            case _:
                return self._joined(fresh)

    def _joined(self, fresh: str) -> str:
        """Models begin without the space that their predecessor's last word needs."""
        before, after = self._said[-1:], fresh[:1]
        needs_space = before.strip() and after.isalnum() and not (is_wide(before) or is_wide(after))
        return f" {fresh}" if needs_space else fresh
