"""The conversation's next words, streamed from a LangChain chat model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain.errors import LanguageModelError
from shared.domain.json_text import whole
from shared.ports.language_model import Message

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
_FIRST_TOKEN_DEADLINE_S = 10.0
_NEXT_TOKEN_DEADLINE_S = 5.0


_SEED = 1
"""So that an answer which a crash cut off begins the same when it is asked for again, as far as the model can."""


@dataclass(frozen=True, slots=True)
class ChatModel:
    """Which model and where. With `azure_endpoint`, `model` is the deployment's name. `retries`: how often a request
    that failed by chance is made again; 0 where another provider is quicker to ask.
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
        self, messages: Sequence[Message], *, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[str, None]:
        """One provider has nobody to race: `late_after_ms` is for those that have."""
        if self._made is None:
            await asyncio.to_thread(self.warm_up)
        assert self._made is not None
        conversation = [(message.role, message.text) for message in messages]
        stream = self._made.astream(conversation, extra_headers={"x-call-id": call_id})
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._first_token_s) as deadline, aclosing(stream):  # type: ignore[type-var]
                async for chunk in stream:
                    text = chunk.text if isinstance(chunk.text, str) else str(chunk.text())
                    deadline.reschedule(None)  # the consumer's pace is not the provider's
                    if text:
                        yield whole(text)
                    deadline.reschedule(loop.time() + self._next_token_s)
        except TimeoutError as error:
            raise LanguageModelError("llm_stalled", "no token came in time", retryable=True) from error
        except Exception as error:
            raise _translate(error) from error


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
        "stream_usage": False,
    }


def _translate(error: Exception) -> LanguageModelError:
    """The SDK's errors come through LangChain as they are."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return LanguageModelError("llm_refused", f"HTTP {status}", retryable=status >= 500 or status == 429)
    return LanguageModelError("llm_unavailable", type(error).__name__, retryable=True)
