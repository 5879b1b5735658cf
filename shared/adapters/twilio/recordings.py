"""Twilio's store of the recordings of our calls.

Source: https://www.twilio.com/docs/voice/api/recording
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from urllib.parse import urljoin, urlsplit

import httpx

from shared.adapters.twilio.accounts import TwilioAccount
from shared.adapters.twilio.rest import TwilioRest
from shared.domain.errors import InvalidRequest, TelephonyError

_PATH = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Recordings/(RE[0-9a-f]{32})(\.wav|\.mp3|\.json)?")
_OWN_DOMAINS = (".twilio.com", ".twiliocdn.com")
_MOST_REDIRECTS = 3
_MONO = 400
"""What is asked for both sides of a recording that has one channel: https://www.twilio.com/docs/api/errors/16113"""
_LATER = frozenset({404, 425, 429})
"""The news of a recording may be quicker than its file."""
_QUIET_S = 10.0
"""So long no byte may come."""


class TwilioRecordings:
    """Fills the port `RecordingSource`. From an address only the account and the recording are taken, and asked for
    where Twilio's API is set up to be.
    """

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def read(self, url: str) -> AsyncGenerator[bytes, None]:
        account, sid = self._located(url)
        address = f"{self._rest.base_url}/2010-04-01/Accounts/{account.sid}/Recordings/{sid}.wav"
        auth = httpx.BasicAuth(account.sid, account.auth_tokens[0])
        async with httpx.AsyncClient(timeout=_QUIET_S, trust_env=False) as client:
            try:
                response = await _opened(client, f"{address}?RequestedChannels=2", auth)
                if response.status_code == _MONO:
                    await response.aclose()
                    response = await _opened(client, address, auth)
                try:
                    _check(response)
                    async for piece in response.aiter_bytes():
                        yield piece
                finally:
                    await response.aclose()
            except httpx.HTTPError as error:
                raise TelephonyError(
                    "twilio_unavailable", f"fetch: {type(error).__name__}", retryable=True
                ) from error

    async def delete(self, url: str) -> bool:
        account, sid = self._located(url)
        outcome = await self._rest.remove(account, f"Recordings/{sid}.json")
        if not (outcome.is_success or outcome.is_missing):
            raise outcome.error("delete a recording")
        return True

    def _located(self, url: str) -> tuple[TwilioAccount, str]:
        """Raises: InvalidRequest."""
        found = _PATH.fullmatch(urlsplit(url).path)
        account = self._rest.accounts.find(found[1]) if found is not None else None
        if found is None or account is None:
            raise InvalidRequest("recording_foreign", "the address is no recording in an account of ours")
        return account, found[2]


async def _opened(client: httpx.AsyncClient, url: str, auth: httpx.BasicAuth) -> httpx.Response:
    """The answer whose body is to be read. Our secret goes to the API's own host only; a redirect is followed within
    Twilio's. Raises: TelephonyError, httpx.HTTPError.
    """
    home = _origin(url)
    for _ in range(_MOST_REDIRECTS):
        request = client.build_request("GET", url)
        own = auth if _origin(url) == home else None
        try:
            async with asyncio.timeout(_QUIET_S):
                response = await client.send(request, auth=own, stream=True, follow_redirects=False)
        except TimeoutError:
            raise TelephonyError("twilio_unavailable", "fetch: no answer in time", retryable=True) from None
        if not response.has_redirect_location:
            return response
        await response.aclose()
        url = urljoin(url, response.headers["location"])
        if _origin(url) != home and not _is_twilio(url):
            raise TelephonyError("recording_elsewhere", "the recording lies at a host that is not Twilio's")
    raise TelephonyError("recording_elsewhere", "the recording is only ever pointed at")


def _check(response: httpx.Response) -> None:
    """Raises: TelephonyError."""
    status = response.status_code
    if not response.is_success:
        raise TelephonyError("twilio_refused", f"fetch: HTTP {status}", retryable=status in _LATER or status >= 500)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _is_twilio(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and host.endswith(_OWN_DOMAINS) and port in (None, 443) and "@" not in parts.netloc
