"""Vonage's store of the recordings of our calls, to which our application's token is the key.

Source: https://developer.vonage.com/en/voice/voice-api/guides/recording
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from urllib.parse import urljoin, urlsplit

import httpx

from shared.adapters.vonage.events import is_vonage
from shared.adapters.vonage.rest import VonageApi
from shared.domain.errors import InvalidRequest, TelephonyError

_PATH = re.compile(r"/v[0-9]+/files/[A-Za-z0-9-]{1,80}")
_MOST_REDIRECTS = 3
_LATER = frozenset({404, 425, 429})
"""The news of a recording may be quicker than its file."""
_QUIET_S = 10.0
"""So long no byte may come."""


class VonageRecordings:
    """Fills the port `RecordingSource`. Vonage keeps a recording for a month, and names no way to delete it."""

    def __init__(self, api: VonageApi) -> None:
        self._api = api

    async def read(self, url: str) -> AsyncGenerator[bytes, None]:
        if not (is_vonage(url) or self._is_set_up(url)) or not _PATH.fullmatch(urlsplit(url).path):
            raise InvalidRequest("recording_foreign", "the address is no recording at Vonage")
        async with httpx.AsyncClient(timeout=_QUIET_S, trust_env=False) as client:
            try:
                response = await self._opened(client, url)
                try:
                    _check(response)
                    async for piece in response.aiter_bytes():
                        yield piece
                finally:
                    await response.aclose()
            except httpx.HTTPError as error:
                raise TelephonyError(
                    "vonage_unavailable", f"fetch: {type(error).__name__}", retryable=True
                ) from error

    async def delete(self, url: str) -> bool:
        return False

    async def _opened(self, client: httpx.AsyncClient, url: str) -> httpx.Response:
        """The answer whose body is to be read; no host but Vonage's is asked.

        Raises: TelephonyError, httpx.HTTPError.
        """
        for _ in range(_MOST_REDIRECTS):
            if not (is_vonage(url) or self._is_set_up(url)):
                raise TelephonyError("recording_elsewhere", "the recording lies at a host that is not Vonage's")
            request = client.build_request("GET", url, headers={"Authorization": f"Bearer {self._api.token()}"})
            try:
                async with asyncio.timeout(_QUIET_S):
                    response = await client.send(request, stream=True, follow_redirects=False)
            except TimeoutError:
                raise TelephonyError("vonage_unavailable", "fetch: no answer in time", retryable=True) from None
            if not response.has_redirect_location:
                return response
            await response.aclose()
            url = urljoin(url, response.headers["location"])
        raise TelephonyError("recording_elsewhere", "the recording is only ever pointed at")

    def _is_set_up(self, url: str) -> bool:
        """Whether it lies at the API that is set up, which may be another than Vonage's own, as in trials."""
        return url.startswith(f"{self._api.base_url}/")


def _check(response: httpx.Response) -> None:
    """Raises: TelephonyError."""
    status = response.status_code
    if not response.is_success:
        raise TelephonyError("vonage_refused", f"fetch: HTTP {status}", retryable=status in _LATER or status >= 500)
