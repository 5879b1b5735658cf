"""Chroma's HTTP interface, without its client, which brings seven packages more. Source: `/openapi.json` of a server
and https://docs.trychroma.com/reference/server-api
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from shared.domain.errors import KnowledgeError

if TYPE_CHECKING:
    import aiohttp

_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"
_NOT_FOUND = 404
_TRANSIENT = (408, 409, 429)


class ChromaHttp:
    """Requests to one server, with a deadline on each; connections belong to the event loop that opened them."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._timeout_s = timeout_s
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()

    async def collection_id(self, name: str) -> str | None:
        """None where there is none. Raises: KnowledgeError."""
        found = await self._request("GET", f"{_DATABASE}/collections/{quote(name, safe='')}", None)
        return None if found is None else str(found["id"])

    async def make_collection(self, name: str) -> str:
        """Or give the one that is there. Raises: KnowledgeError."""
        wanted = {"name": name, "get_or_create": True, "configuration": {"hnsw": {"space": "cosine"}}}
        made = await self._request("POST", f"{_DATABASE}/collections", wanted)
        if made is None:
            raise KnowledgeError("chroma_rejected", "the server has no default database")
        return str(made["id"])

    async def ask(self, collection_id: str, verb: str, content: dict[str, Any]) -> Any:
        """None where the collection is gone. Raises: KnowledgeError."""
        return await self._request("POST", f"{_DATABASE}/collections/{collection_id}/{verb}", content)

    async def ping(self) -> None:
        await self._request("GET", "/api/v2/heartbeat", None)

    async def aclose(self) -> None:
        """Close the running event loop's connections."""
        if (session := self._sessions.pop(asyncio.get_running_loop(), None)) is not None:
            await session.close()

    async def _request(self, method: str, path: str, content: dict[str, Any] | None) -> Any:
        import aiohttp  # noqa: PLC0415 - slow import

        body = None if content is None else json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session().request(method, self._url + path, data=body, headers=self._headers) as answer,
            ):
                said = await answer.read()
                if answer.status == _NOT_FOUND:
                    return None
                if answer.status >= 400:
                    raise _refusal(answer.status)
                return json.loads(said) if said else {}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            kind = type(error).__name__
            raise KnowledgeError("chroma_unavailable", f"Chroma does not answer ({kind})", retryable=True) from error

    def _session(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 - slow import

        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            session = self._sessions[loop] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16))
        return session


def _refusal(status: int) -> KnowledgeError:
    retryable = status >= 500 or status in _TRANSIENT
    code = "chroma_unavailable" if retryable else "chroma_rejected"
    return KnowledgeError(code, f"Chroma refuses the request (HTTP {status})", retryable=retryable)
