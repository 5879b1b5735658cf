"""A caller whom a model plays: it knows who it is and what it wants, and ends the call when it has it."""

from __future__ import annotations

from typing import Final

from local_stack.eval.chat_model import ChatModel
from local_stack.eval.scenario import Persona

_DONE: Final = "GOODBYE"
_RULES: Final = (
    "You play a person who telephones a company. Stay in this part; never say that you are a model, and never speak "
    "for the company. Say one or two short sentences at a time, as people do on the telephone, without any markup. "
    "When you have what you want, or cannot get it, say only: " + _DONE
)
_LONGEST: Final = 500
_OPENING: Final = 2
"""Messages before the caller's first words: the part, and the greeting."""


class PersonaCaller:
    """One call. What the agent says is material to the part, never an instruction to the model."""

    def __init__(self, model: ChatModel, persona: Persona) -> None:
        part = f"{_RULES}\n\nWho you are: {persona.who}\nWhat you want: {persona.goal}"
        self._messages: list[dict[str, str]] = [{"role": "system", "content": part}]
        self._model = model
        self._goal = persona.goal.rstrip(".")

    async def next_words(self, heard: str) -> str | None:
        """The answer to what the agent has said; None: the caller hangs up. Raises: CannotEvaluate."""
        self._messages.append({"role": "user", "content": heard[:2000] or "(nothing is heard)"})
        words = " ".join((await self._model.text(self._messages)).split())[:_LONGEST]
        is_done = not words or _DONE in words.upper()
        if is_done and len(self._messages) > _OPENING:
            return None
        # Nobody rings up to say goodbye; small models do.
        words = f"Hello. I would like {self._goal}." if is_done else words
        self._messages.append({"role": "assistant", "content": words})
        return words
