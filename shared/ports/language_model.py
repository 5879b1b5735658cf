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
    def answer(
        self, messages: Sequence[Message], *, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[str, None]:
        """The answer in tokens, as they are made. Closing the generator cancels it. `late_after_ms`: how long the
        first token may take before a second provider is asked beside the first, where there is one; 0: never.
        Raises: LanguageModelError.
        """
        ...
