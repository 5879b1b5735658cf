"""Sends to connections of a hub and makes client tokens, by the official SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.domain.errors import MediaError

if TYPE_CHECKING:
    from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

_READ_TIMEOUT_S = 5.0
_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2,
    "retry_total": 1,
    "retry_backoff_factor": 0.1,
    "use_env_settings": False,
}
"""A piece of audio that is seconds late is worth nothing, and one that is sent twice is heard twice: the SDK
retries only what was never sent (connection errors) or what the service says it did not do (500, 503, 504).
Looking for a proxy in the environment would read ~/.netrc in a thread before every piece."""


@asynccontextmanager
async def _translated(what: str) -> AsyncIterator[None]:
    from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError  # noqa: PLC0415

    try:
        yield
    except ResourceNotFoundError as error:
        raise MediaError("connection_gone", f"{what}: the connection is gone") from error
    except HttpResponseError as error:
        retryable = error.status_code is None or error.status_code >= 500 or error.status_code == 429
        raise MediaError("web_pubsub_refused", f"{what}: HTTP {error.status_code}", retryable=retryable) from error
    except AzureError as error:
        raise MediaError("web_pubsub_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error


class WebPubSubService:
    """One hub. Give a connection string (local) or an endpoint, to which the managed identity signs in.

    `read_timeout_s`: how long the service may take for an answer.
    """

    def __init__(
        self,
        hub: str,
        *,
        connection_string: str = "",
        endpoint: str = "",
        client_id: str = "",
        read_timeout_s: float = _READ_TIMEOUT_S,
    ) -> None:
        self.hub = hub
        self._options: dict[str, Any] = {**_OPTIONS, "read_timeout": read_timeout_s}
        self._connection_string = connection_string
        self._endpoint = endpoint
        self._client_id = client_id
        self._made: WebPubSubServiceClient | None = None

    @property
    def client(self) -> WebPubSubServiceClient:
        if self._made is None:
            from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient  # noqa: PLC0415 - slow import

            if self._connection_string:
                self._made = WebPubSubServiceClient.from_connection_string(
                    self._connection_string, self.hub, **self._options
                )
            else:
                from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow import

                credential = DefaultAzureCredential(managed_identity_client_id=self._client_id or None)
                self._made = WebPubSubServiceClient(self._endpoint, self.hub, credential, **self._options)
        return self._made

    async def send(self, connection_id: str, content: str | dict[str, object], content_type: str) -> None:
        async with _translated("send"):
            await self.client.send_to_connection(connection_id, content, content_type=content_type)

    async def close_connection(self, connection_id: str, reason: str) -> None:
        try:
            async with _translated("close"):
                await self.client.close_connection(connection_id, reason=reason)
        except MediaError as error:
            if error.code != "connection_gone":
                raise

    async def client_url(self, user_id: str, *, minutes: int) -> str:
        """A URL with a token for one client, who is `user_id`; the token ends after `minutes`."""
        async with _translated("make a token"):
            answer = await self.client.get_client_access_token(user_id=user_id, minutes_to_expire=minutes)
        return str(answer["url"])

    async def ping(self) -> None:
        async with _translated("ping"):
            await self.client.connection_exists("ping")


class WebPubSubConnection:
    """Fills the port `Connection`."""

    def __init__(self, service: WebPubSubService, connection_id: str) -> None:
        self._service = service
        self._connection_id = connection_id

    async def send_text(self, text: str) -> None:
        await self._service.send(self._connection_id, text, "text/plain")

    async def send_json(self, document: Mapping[str, object]) -> None:
        await self._service.send(self._connection_id, dict(document), "application/json")

    async def close(self, reason: str) -> None:
        await self._service.close_connection(self._connection_id, reason)
