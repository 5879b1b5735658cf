"""Sends to connections of a hub, and by the official SDK closes them and makes client tokens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.adapters.web_pubsub.bearer import AccessKeyBearer, Bearer, IdentityBearer
from shared.adapters.web_pubsub.sending import Sender
from shared.domain.errors import InvalidRequest, MediaError

if TYPE_CHECKING:
    from azure.identity.aio import DefaultAzureCredential
    from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

_READ_TIMEOUT_S = 5.0
_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2,
    "retry_total": 1,
    "retry_backoff_factor": 0.1,
    "use_env_settings": False,
}
"""Looking for a proxy in the environment would read ~/.netrc in a thread before every request."""


def _address_in(connection_string: str) -> tuple[str, str]:
    """Endpoint and access key. Raises: InvalidRequest."""
    parts = [part.partition("=") for part in connection_string.split(";")]
    named = {name.strip().lower(): value for name, _, value in parts}
    endpoint, access_key, port = (named.get(name, "") for name in ("endpoint", "accesskey", "port"))
    if not endpoint or not access_key:
        raise InvalidRequest("settings", "Web PubSub's connection string names no endpoint or no access key")
    return (f"{endpoint.rstrip('/')}:{port}" if port else endpoint), access_key


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
        self._read_timeout_s = read_timeout_s
        self._made: WebPubSubServiceClient | None = None
        self._sending: Sender | None = None

    @property
    def client(self) -> WebPubSubServiceClient:
        """The SDK's client, for everything but the hot path."""
        if self._made is None:
            from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient  # noqa: PLC0415 - slow import

            if self._connection_string:
                self._made = WebPubSubServiceClient.from_connection_string(
                    self._connection_string, self.hub, **self._options
                )
            else:
                self._made = WebPubSubServiceClient(self._endpoint, self.hub, self._credential, **self._options)
        return self._made

    async def send(self, connection_id: str, content: bytes, content_type: str) -> None:
        """Deliver one message. Raises: MediaError."""
        await self._sender.send(connection_id, content, content_type)

    async def send_all(self, connection_id: str, messages: Sequence[tuple[bytes, str]]) -> None:
        """Deliver messages with their content types, in order. Raises: MediaError."""
        await self._sender.send_all(connection_id, messages)

    async def warm_up(self) -> None:
        """Sign in before there is something to send. Raises: MediaError."""
        await self._sender.warm_up()

    async def aclose(self) -> None:
        """Close what is connected."""
        if self._sending is not None:
            await self._sending.aclose()
        if self._made is not None:
            await self._made.close()

    @property
    def _sender(self) -> Sender:
        if self._sending is None:
            if self._connection_string:
                endpoint, access_key = _address_in(self._connection_string)
                bearer: Bearer = AccessKeyBearer(access_key)
            else:
                endpoint, bearer = self._endpoint, IdentityBearer(self._credential)
            self._sending = Sender(endpoint.rstrip("/"), self.hub, bearer, read_timeout_s=self._read_timeout_s)
        return self._sending

    @cached_property
    def _credential(self) -> DefaultAzureCredential:
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow import

        return DefaultAzureCredential(managed_identity_client_id=self._client_id or None)

    async def close_connection(self, connection_id: str, reason: str) -> None:
        try:
            async with _translated("close"):
                await self.client.close_connection(connection_id, reason=reason)
        except MediaError as error:
            if error.code != "connection_gone":
                raise

    async def client_url(self, user_id: str, *, minutes: int) -> str:
        """A URL with a token for one client, who is `user_id`; the token ends after `minutes`."""
        return str((await self._access(user_id, minutes))["url"])

    async def client_token(self, user_id: str, *, minutes: int) -> str:
        """The token alone, for who brings it in a header. Raises: MediaError."""
        return str((await self._access(user_id, minutes))["token"])

    async def _access(self, user_id: str, minutes: int) -> Mapping[str, Any]:
        async with _translated("make a token"):
            return await self.client.get_client_access_token(user_id=user_id, minutes_to_expire=minutes)

    async def ping(self) -> None:
        async with _translated("ping"):
            await self.client.connection_exists("ping")


class WebPubSubConnection:
    """Fills the ports `Connection` and `FrameConnection`."""

    def __init__(self, service: WebPubSubService, connection_id: str) -> None:
        self._service = service
        self._connection_id = connection_id

    async def send_text(self, text: str) -> None:
        await self._service.send(self._connection_id, text.encode(), "text/plain")

    async def send_json(self, document: Mapping[str, object]) -> None:
        await self._service.send(
            self._connection_id, json.dumps(document, separators=(",", ":")).encode(), "application/json"
        )

    async def send_all(self, messages: Sequence[tuple[bytes, str]]) -> None:
        await self._service.send_all(self._connection_id, messages)

    async def close(self, reason: str) -> None:
        await self._service.close_connection(self._connection_id, reason)
