"""What the HTTP routes need from whatever answers them: four narrow ports and their values."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_stack.speech.audio import Pcm
from local_stack.speech.timeline import Entry

SPEECH_RATE_HZ = 24_000
"""Sample rate of synthesised speech, as OpenAI's `pcm` has it."""


@dataclass(frozen=True, slots=True)
class Context:
    """One request as seen from outside: its headers (lower case), when it was complete, its timeline entry."""

    headers: Mapping[str, str]
    complete_s: float
    """Event loop time at which the request's body had arrived."""
    entry: Entry


@dataclass(frozen=True, slots=True)
class Hearing:
    """A recording to transcribe; `call_key` tells calls apart where the caller of the API gave one."""

    pcm: Pcm
    call_key: str


@dataclass(frozen=True, slots=True)
class Speaking:
    """A text to speak, at `speed` times the normal pace."""

    text: str
    speed: float


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """A chat request. `tool_choice` is `auto`, `none`, `required` or the name of a tool."""

    messages: list[dict[str, Any]]
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    json_schema: dict[str, Any] | None = None
    max_tokens: int | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    call_key: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A complete call of a tool; `arguments` is a JSON object as text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a reply: `reason` is `stop`, `length` or `tool_calls`."""

    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


ChatEvent = TextDelta | ToolCall | Finished


class Transcriber(Protocol):
    """Speech to text; `languages`: those that it hears (ISO 639-1), None for whatever it is asked to hear."""

    @property
    def languages(self) -> frozenset[str] | None: ...
    async def transcribe(self, hearing: Hearing, context: Context) -> str: ...


class Synthesizer(Protocol):
    """Text to speech: PCM16 little-endian mono at SPEECH_RATE_HZ, in pieces as they are ready."""

    def synthesize(self, speaking: Speaking, context: Context) -> AsyncGenerator[bytes, None]: ...


class ChatModel(Protocol):
    """A conversation's next message; closing the generator stops the work."""

    def reply(self, asking: Asking, context: Context) -> AsyncGenerator[ChatEvent, None]: ...


class Embedder(Protocol):
    """Texts to unit vectors; also gives the number of tokens read."""

    async def embed(self, texts: list[str], context: Context) -> tuple[list[list[float]], int]: ...


class Backend(Protocol):
    """All four, with their state of readiness."""

    @property
    def transcriber(self) -> Transcriber: ...
    @property
    def synthesizer(self) -> Synthesizer: ...
    @property
    def chat_model(self) -> ChatModel: ...
    @property
    def embedder(self) -> Embedder: ...

    def model_ids(self) -> list[str]:
        """The models' names for `GET /v1/models`."""

    def pending(self) -> list[str]:
        """What is still being loaded; empty when ready. Raises ApiError when loading failed."""

    async def start(self) -> None:
        """Begin to load, in the background."""

    async def close(self) -> None:
        """Stop all work and free the models."""
