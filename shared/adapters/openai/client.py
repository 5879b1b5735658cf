"""The official SDK's client, made on first use since its import is slow, and its errors in our words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain.errors import VoiceAgentError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
_RETRIES = 1


@dataclass(frozen=True, slots=True)
class OpenAIAccount:
    """Where to ask. With `azure_endpoint` it is Azure OpenAI with the managed identity, else `base_url` and a key."""

    base_url: str = ""
    api_key: str = ""
    azure_endpoint: str = ""
    azure_api_version: str = ""
    client_id: str = ""


class OpenAIClient:
    """Shared by the adapters of one account; connections are pooled."""

    def __init__(self, account: OpenAIAccount) -> None:
        self.account = account
        self._made: AsyncOpenAI | None = None

    @property
    def sdk(self) -> AsyncOpenAI:
        if self._made is None:
            self._made = self._azure() if self.account.azure_endpoint else self._plain()
        return self._made

    def _plain(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI  # noqa: PLC0415 - slow import

        return AsyncOpenAI(base_url=self.account.base_url or None, api_key=self.account.api_key, max_retries=_RETRIES)

    def _azure(self) -> AsyncOpenAI:
        from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider  # noqa: PLC0415
        from openai import AsyncAzureOpenAI  # noqa: PLC0415 - slow import

        credential = DefaultAzureCredential(managed_identity_client_id=self.account.client_id or None)
        return AsyncAzureOpenAI(
            azure_endpoint=self.account.azure_endpoint,
            api_version=self.account.azure_api_version,
            azure_ad_token_provider=get_bearer_token_provider(credential, _AZURE_SCOPE),
            max_retries=_RETRIES,
        )


@asynccontextmanager
async def translated(error_type: type[VoiceAgentError], what: str) -> AsyncIterator[None]:
    """Raises: `error_type` for whatever is raised while doing `what`, and when its deadline passes.

    A stream that breaks off comes through the SDK as an error of the HTTP library beneath it, and an answer that
    makes no sense as Python's own, so nothing is let through.
    """
    import openai  # noqa: PLC0415 - slow import

    try:
        yield
    except (openai.APIConnectionError, TimeoutError) as error:
        raise error_type("openai_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error
    except openai.APIStatusError as error:
        retryable = error.status_code >= 500 or error.status_code == 429
        raise error_type("openai_refused", f"{what}: HTTP {error.status_code}", retryable=retryable) from error
    except Exception as error:
        raise error_type("openai_failed", f"{what}: {type(error).__name__}", retryable=True) from error
