"""The hot way out: one message to one connection by Web PubSub's REST API, without the SDK's pipeline.

Source: https://learn.microsoft.com/rest/api/webpubsub/dataplane/web-pub-sub/send-to-connection
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import aiohttp

from shared.adapters.web_pubsub.bearer import Bearer
from shared.adapters.web_pubsub.pipelining import BadAnswer, Pipeline
from shared.domain.errors import MediaError

_API_VERSION = "2024-12-01"
_CONNECT_TIMEOUT_S = 2.0
_CONNECT_PAUSE_S = 0.1
_ACCEPTED = 202
_UNAUTHORIZED = 401
_NOT_FOUND = 404
_TOO_MANY_REQUESTS = 429


class Sender:
    """Sends to the connections of one hub over kept-alive HTTP connections.

    A piece of audio that is sent twice is heard twice: what may have left is never sent again; only where no
    connection could be made is there a second attempt.
    """

    def __init__(self, endpoint: str, hub: str, bearer: Bearer, *, read_timeout_s: float) -> None:
        self._connections_url = f"{endpoint}/api/hubs/{quote(hub, safe='')}/connections/"
        self._bearer = bearer
        self._timeout = aiohttp.ClientTimeout(
            total=2 * _CONNECT_TIMEOUT_S + read_timeout_s, sock_connect=_CONNECT_TIMEOUT_S, sock_read=read_timeout_s
        )
        self._session: aiohttp.ClientSession | None = None
        self._pipeline = Pipeline(endpoint, read_timeout_s=read_timeout_s)

    async def send(self, connection_id: str, body: bytes, content_type: str) -> None:
        """`body` is UTF-8 for text and JSON. Raises: MediaError."""
        url = self._url(connection_id)
        try:
            headers = {"Authorization": await self._bearer.authorization(url), "Content-Type": content_type}
            status = await self._posted(url, body, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = type(error).__name__
            raise MediaError("web_pubsub_unavailable", f"send: {problem}", retryable=True) from error
        self._check(url, status)

    async def send_all(self, connection_id: str, messages: Sequence[tuple[bytes, str]]) -> None:
        """Messages with their content types, in order, as many frames. Raises: MediaError."""
        url = self._url(connection_id)
        try:
            authorization = await self._bearer.authorization(url)
            parts = urlsplit(url)
            status = await self._pipeline.post_all(f"{parts.path}?{parts.query}", authorization, messages)
        except (OSError, TimeoutError, EOFError, BadAnswer) as error:
            problem = type(error).__name__
            raise MediaError("web_pubsub_unavailable", f"send: {problem}", retryable=True) from error
        self._check(url, status)

    def _url(self, connection_id: str) -> str:
        return f"{self._connections_url}{quote(connection_id, safe='')}/:send?api-version={_API_VERSION}"

    def _check(self, url: str, status: int) -> None:
        if status == _ACCEPTED:
            return
        if status == _NOT_FOUND:
            raise MediaError("connection_gone", "send: the connection is gone")
        if status == _UNAUTHORIZED:
            self._bearer.forget(url)
        retryable = status >= 500 or status == _TOO_MANY_REQUESTS
        raise MediaError("web_pubsub_refused", f"send: HTTP {status}", retryable=retryable)

    async def warm_up(self) -> None:
        """Get the token that the first message would else wait for. Raises: MediaError."""
        await self._bearer.authorization(self._connections_url)

    async def aclose(self) -> None:
        self._pipeline.close()
        if self._session is not None:
            await self._session.close()

    async def _posted(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        try:
            return await self._post(url, body, headers)
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(_CONNECT_PAUSE_S)
            return await self._post(url, body, headers)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status
