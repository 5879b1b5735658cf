"""The next words of the conversation, the tools that are wanted for them, and what both cost."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from shared.domain.agents.models import ModelChoice


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments`: JSON, as the model wrote it, which may be anything."""

    call_key: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One contribution to the conversation so far. `calls`: what an assistant asked for; `answers`: the `call_key`
    that a tool's message answers.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """`parameters`: the JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, in tokens as the provider counts them."""

    provider: str
    model: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How an answer is wanted. `late_after_ms`: how long the first token may take before a second provider is asked
    beside the first, where there is one; 0: never. `tools`: what may be called, unless `may_call`
    says that it must be answered in words now. `schema`: what the answer must be,
    as JSON; None: words. `models`: who is asked, by the names of the agent's document, in this order; none: those
    of the settings. `longest_tokens` and `patience_s`: how long the answer may become, and for how long the model may
    be silent, where that is more than what is set for the ear of a caller; 0: it is not.
    """

    late_after_ms: int = 0
    tools: tuple[ToolOffer, ...] = ()
    schema: Mapping[str, Any] | None = None
    may_call: bool = True
    models: tuple[ModelChoice, ...] = ()
    longest_tokens: int = 0
    patience_s: float = 0.0


PLAIN = Wish()
"""Words, whenever they come."""


class LanguageModel(Protocol):
    def answer(
        self, messages: Sequence[Message], *, call_id: str, wish: Wish = PLAIN
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        """The answer in tokens, as they are made; then the tools that it wants called, whole; then what it cost.
        Closing the generator cancels it. Raises: LanguageModelError.
        """
        ...
