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
        assert self._made is not None
        conversation = [_message(message) for message in messages]
        stream = self._made.astream(conversation, extra_headers={"x-call-id": call_id}, **_asked(wish))
        loop = asyncio.get_running_loop()
        end = _End(self._spec)
        try:
            async with asyncio.timeout(self._first_token_s) as deadline, aclosing(stream):  # type: ignore[type-var]
                async for chunk in stream:
                    text = chunk.text if isinstance(chunk.text, str) else str(chunk.text())
                    deadline.reschedule(None)  # the consumer's pace is not the provider's
                    if text:
                        yield whole(text)
                    else:
                        end.take(chunk)
                    deadline.reschedule(loop.time() + self._next_token_s)
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


def _asked(wish: Wish) -> dict[str, Any]:
    asked: dict[str, Any] = {}
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
        "max_retries": spec.retries,
        "streaming": True,
        "stream_usage": True,
    }


def _translate(error: Exception) -> LanguageModelError:
    """The SDK's errors come through LangChain as they are."""
    status = getattr(error, "status_code", None)
    if getattr(error, "code", None) == _FILTERED:
        return ContentRefused("content_refused", "the provider's filter refused")
    if isinstance(status, int):
        return LanguageModelError("llm_refused", f"HTTP {status}", retryable=status >= 500 or status == 429)
    return LanguageModelError("llm_unavailable", type(error).__name__, retryable=True)
