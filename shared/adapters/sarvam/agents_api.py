"""Sarvam's voice agents by HTTP: the workspace's key, deadlines, and what is tried again and what never is.

Source: https://docs.sarvam.ai/voice-agents/api
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx

from shared.domain.errors import TelephonyError

_DEADLINE_S = 5.0
_PAUSE_S = 0.2
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where agents live. `api_key` is the workspace's own, not that of the speech services."""

    org_id: str
    workspace_id: str
    api_key: str
    base_url: str = "https://apps.sarvam.ai"

    def path(self, room: str, rest: str) -> str:
        """`room`: which of the platform's services."""
        return f"/api/{room}/orgs/{self.org_id}/workspaces/{self.workspace_id}/{rest}"


class NoAnswer(Exception):
    """The request may have been carried out, and what became of it is not known."""


class AgentsApi:
    def __init__(self, workspace: Workspace, *, deadline_s: float = _DEADLINE_S) -> None:
        self.workspace = workspace
        self._deadline_s = deadline_s

    async def get(self, what: str, path: str, query: dict[str, str] | None = None) -> Any:
        """The JSON of the answer; what failed by chance is asked once more. Raises: TelephonyError."""
        try:
            return await self._got(what, path, query)
        except TelephonyError as error:
            if not error.retryable:
                raise
        await asyncio.sleep(_PAUSE_S)
        return await self._got(what, path, query)

    async def _got(self, what: str, path: str, query: dict[str, str] | None) -> Any:
        try:
            return _document(what, await self._once(what, "GET", path, params=query or {}))
        except NoAnswer as error:
            raise TelephonyError("sarvam_unavailable", str(error), retryable=True) from error

    async def post_once(self, what: str, path: str, document: dict[str, Any]) -> Any:
        """The JSON of the answer to what must not be asked twice.

        Raises: NoAnswer where it may have been carried out, TelephonyError where it certainly was not.
        """
        response = await self._once(what, "POST", path, json=document)
        if response.status_code >= 500 or response.status_code in (408, _TOO_MANY_REQUESTS):
            raise NoAnswer(f"{what}: HTTP {response.status_code}")
        return _document(what, response)

    async def _once(self, what: str, method: str, path: str, **options: Any) -> httpx.Response:
        url = self.workspace.base_url.rstrip("/") + path
        headers = {"X-API-Key": self.workspace.api_key}
        try:
            async with (
                asyncio.timeout(self._deadline_s),
                httpx.AsyncClient(timeout=self._deadline_s, trust_env=False) as client,
            ):
                return await client.request(method, url, headers=headers, **options)
        except httpx.ConnectError as error:
            raise TelephonyError("sarvam_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise NoAnswer(f"{what}: {type(error).__name__}") from error


def _document(what: str, response: httpx.Response) -> Any:
    """Raises: TelephonyError for a refusal; NoAnswer for a success that says nothing."""
    status = response.status_code
    if not response.is_success:
        retryable = status >= 500 or status == _TOO_MANY_REQUESTS
        raise TelephonyError("sarvam_refused", f"{what}: HTTP {status}", retryable=retryable)
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"{what}: the answer is not JSON") from error
