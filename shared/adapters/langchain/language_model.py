"""The conversation's next words, streamed from a LangChain chat model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain.errors import ContentRefused, LanguageModelError
from shared.domain.json_text import whole
from shared.domain.tool_call_pieces import ToolCallPieces
from shared.ports.language_model import PLAIN, Message, ToolCall, Usage, Wish

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
_FIRST_TOKEN_DEADLINE_S = 10.0
_NEXT_TOKEN_DEADLINE_S = 5.0
_FILTERED = "content_filter"
_RETRY_AFTER_S = 0.2
_LONGEST_RETRY_AFTER_S = 1.0
_TRANSIENT = (408, 409, 429)


_SEED = 1
"""So that an answer which a crash cut off begins the same when it is asked for again, as far as the model can."""


@dataclass(frozen=True, slots=True)
class ChatModel:
    """Which model and where. With `azure_endpoint`, `model` is the deployment's name. `retries`: how often a request
    that failed by chance is made again; 0 where another provider is quicker to ask. `provider`: its name in what an
    answer cost.
    """

    model: str
    base_url: str = ""
    api_key: str = ""
    azure_endpoint: str = ""
    azure_api_version: str = ""
    client_id: str = ""
    temperature: float = 0.3
    max_tokens: int = 300
    retries: int = 1
    provider: str = "openai"


class LangChainLanguageModel:
    """Fills the port `LanguageModel`. Made on first use, since the import takes more than a second.

    `first_token_s` and `next_token_s`: how long the model may be silent.
    """

    def __init__(
        self,
        chat_model: ChatModel,
        *,
        first_token_s: float = _FIRST_TOKEN_DEADLINE_S,
        next_token_s: float = _NEXT_TOKEN_DEADLINE_S,
    ) -> None:
        self._spec = chat_model
        self._first_token_s = first_token_s
        self._next_token_s = next_token_s
        self._made: BaseChatModel | None = None

    def warm_up(self) -> None:
        """Do the slow import and make the client; safe to call from a thread, and again."""
        if self._made is None:
            self._made = _azure(self._spec) if self._spec.azure_endpoint else _plain(self._spec)

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, wish: Wish = PLAIN
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        """One provider has nobody to race: `late_after_ms` and `models` are for those that have."""
        if self._made is None:
            await asyncio.to_thread(self.warm_up)
        left = self._spec.retries
        while True:
            try:
                async with aclosing(self._answer(messages, call_id, wish)) as items:
                    async for item in items:
                        left = 0  # what has begun is not asked for again
                        yield item
                return
            except LanguageModelError as error:
                pause_s = _pause_s(error.__cause__) if left else None
                if pause_s is None:
                    raise
            left -= 1
            await asyncio.sleep(pause_s)

    async def _answer(
        self, messages: Sequence[Message], call_id: str, wish: Wish
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        assert self._made is not None
        conversation = [_message(message) for message in messages]
        stream = self._made.astream(conversation, extra_headers={"x-call-id": call_id}, **_asked(wish, self._spec))
        loop = asyncio.get_running_loop()
        end = _End(self._spec)
        try:
            first_s, next_s = (max(each, wish.patience_s) for each in (self._first_token_s, self._next_token_s))
            async with asyncio.timeout(first_s) as deadline, aclosing(stream):  # type: ignore[type-var]
                async for chunk in stream:
                    text = chunk.text if isinstance(chunk.text, str) else str(chunk.text())
                    deadline.reschedule(None)  # the consumer's pace is not the provider's
                    if text:
                        yield whole(text)
                    else:
                        end.take(chunk)
                    deadline.reschedule(loop.time() + next_s)
        except TimeoutError as error:
            raise LanguageModelError("llm_stalled", "no token came in time", retryable=True) from error
        except LanguageModelError:
            raise
        except Exception as error:
            raise _translate(error) from error
        for call in end.calls.calls():
            yield ToolCall(*call)
        if end.usage is not None:
            yield end.usage


class _End:
    """What an answer has besides words."""

    def __init__(self, spec: ChatModel) -> None:
        self.calls = ToolCallPieces()
        self.usage: Usage | None = None
        self._spec = spec

    def take(self, chunk: Any) -> None:
        """Raises: ContentRefused."""
        for piece in chunk.tool_call_chunks:
            self.calls.add(piece["index"], piece["id"] or "", piece["name"] or "", piece["args"] or "")
        if chunk.usage_metadata is not None:
            used = chunk.usage_metadata
            self.usage = Usage(self._spec.provider, self._spec.model, used["input_tokens"], used["output_tokens"])
        if chunk.response_metadata.get("finish_reason") == _FILTERED or chunk.additional_kwargs.get("refusal"):
            raise ContentRefused("content_refused", "the provider's filter cut the answer off")


def _asked(wish: Wish, spec: ChatModel) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if wish.longest_tokens > spec.max_tokens:
        asked["max_tokens"] = wish.longest_tokens
    if wish.tools:
        asked["tools"] = [
            {
                "type": "function",
                "function": {"name": each.name, "description": each.description, "parameters": each.parameters},
            }
            for each in wish.tools
        ]
        if not wish.may_call:
            asked["tool_choice"] = "none"
    if wish.schema is not None:
        form = {"name": "answer", "schema": wish.schema, "strict": False}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    return asked


def _message(message: Message) -> dict[str, Any]:
    if message.calls:
        calls = [{"id": call.call_key, "name": call.name, "args": _arguments(call)} for call in message.calls]
        return {"role": message.role, "content": message.text, "tool_calls": calls}
    if message.answers:
        return {"role": message.role, "content": message.text, "tool_call_id": message.answers}
    return {"role": message.role, "content": message.text}


def _arguments(call: ToolCall) -> dict[str, Any]:
    """LangChain knows arguments as objects only: those that are none are as good as none."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _plain(spec: ChatModel) -> BaseChatModel:
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 - slow import

    return ChatOpenAI(
        model=spec.model,
        base_url=spec.base_url or None,
        api_key=spec.api_key,  # type: ignore[arg-type]
        **_common(spec),
    )


def _azure(spec: ChatModel) -> BaseChatModel:
    from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider  # noqa: PLC0415
    from langchain_openai import AzureChatOpenAI  # noqa: PLC0415 - slow import

    credential = DefaultAzureCredential(managed_identity_client_id=spec.client_id or None)
    return AzureChatOpenAI(
        azure_deployment=spec.model,
        azure_endpoint=spec.azure_endpoint,
        api_version=spec.azure_api_version,
        azure_ad_async_token_provider=get_bearer_token_provider(credential, _AZURE_SCOPE),
        **_common(spec),
    )


def _common(spec: ChatModel) -> dict[str, Any]:
    return {
        "temperature": spec.temperature,
        "seed": _SEED,
        "max_tokens": spec.max_tokens,
        "max_retries": 0,
        "streaming": True,
        "stream_usage": True,
    }


def _pause_s(error: BaseException | None) -> float | None:
    """How long to wait before asking again; None: it makes no sense, or takes longer than a caller waits. The SDK
    would wait for a minute.
    """
    from openai import APIConnectionError, APIStatusError  # noqa: PLC0415 - slow import

    if isinstance(error, APIConnectionError):
        return _RETRY_AFTER_S
    if not isinstance(error, APIStatusError) or (error.status_code < 500 and error.status_code not in _TRANSIENT):
        return None
    try:
        asked_s = float(error.response.headers.get("retry-after", _RETRY_AFTER_S))
    except ValueError:
        return None
    return max(asked_s, 0.0) if asked_s <= _LONGEST_RETRY_AFTER_S else None


def _translate(error: Exception) -> LanguageModelError:
    """The SDK's errors come through LangChain as they are."""
    status = getattr(error, "status_code", None)
    if getattr(error, "code", None) == _FILTERED:
        return ContentRefused("content_refused", "the provider's filter refused")
    if isinstance(status, int):
        return LanguageModelError("llm_refused", f"HTTP {status}", retryable=status >= 500 or status == 429)
    return LanguageModelError("llm_unavailable", type(error).__name__, retryable=True)
