"""The next words of the conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One contribution to the conversation so far."""

    role: Literal["system", "user", "assistant"]
    text: str


class LanguageModel(Protocol):
    def answer(self, messages: Sequence[Message], *, call_id: str) -> AsyncGenerator[str, None]:
        """The answer in tokens, as they are made. Closing the generator cancels it. Raises: LanguageModelError."""
        ...
