"""The built-in activity behind `call_http`: an HTTP request, repeated while it is answered by 202."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

_TIMEOUT_S = 100.0
_DEFAULT_POLL_INTERVAL_S = 30.0


class HttpActivity:
    """Makes durable HTTP requests; its session is opened by the first one."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def call(self, request_text: str) -> str:
        """Return `{"statusCode", "headers", "content"}` as JSON text.

        Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-features
        Raises: aiohttp.ClientError, TimeoutError; ValueError for a token source, which needs Azure.
        """
        request = json.loads(request_text)
        if request.get("tokenSource"):
            raise ValueError("call_http with a managed identity token source works only on Azure")
        headers = {str(name): str(value) for name, value in (request.get("headers") or {}).items()}
        answer = await self._send(request["method"], request["uri"], headers, request.get("content"))
        while answer["statusCode"] == 202 and request.get("asynchronousPatternEnabled", True):
            location = _header(answer, "Location")
            if location is None:
                break
            await asyncio.sleep(float(_header(answer, "Retry-After") or _DEFAULT_POLL_INTERVAL_S))
            answer = await self._send("GET", location, headers, None)
        return json.dumps(answer)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _send(self, method: str, url: str, headers: dict[str, str], content: str | None) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        async with self._session.request(method, url, headers=headers, data=content) as response:
            return {
                "statusCode": response.status,
                "headers": {name: ",".join(response.headers.getall(name)) for name in response.headers},
                "content": await response.text(),
            }


def _header(answer: dict[str, Any], name: str) -> str | None:
    for key, value in answer["headers"].items():
        if key.casefold() == name.casefold():
            return str(value)
    return None
