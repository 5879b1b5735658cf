"""Requests to Twilio's REST API: every one under a deadline, and sent again only where that cannot do a thing twice.

Source: https://www.twilio.com/docs/voice/api, https://www.twilio.com/docs/usage/requests-to-twilio
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.domain.errors import InvalidRequest, TelephonyError

DEADLINE_S = 5.0
_ATTEMPTS = 2
_NOT_FOUND, _TOO_MANY = 404, 429
_HOST = re.compile(r"api(\.[a-z0-9-]+\.[a-z]{2}[0-9])?\.twilio\.com")
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
Form = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `status` 0: no answer came; `was_sent`: whether Twilio may have carried it out."""

    status: int
    document: Mapping[str, Any]
    was_sent: bool = True
    trouble: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_missing(self) -> bool:
        return self.status == _NOT_FOUND

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return not self.status or self.status == _TOO_MANY or self.status >= 500

    @property
    def code(self) -> int:
        """Twilio's own number of the failure; 0 where it gives none. Source: https://www.twilio.com/docs/api/errors"""
        code = self.document.get("code")
        return code if isinstance(code, int) else 0

    def text(self, name: str) -> str:
        value = self.document.get(name)
        return value if isinstance(value, str) else ""

    def error(self, what: str) -> TelephonyError:
        if not self.status:
            return TelephonyError("twilio_unavailable", f"{what}: {self.trouble}", retryable=True)
        code = f" {self.code}" if self.code else ""
        return TelephonyError("twilio_refused", f"{what}: HTTP {self.status}{code}", retryable=self.may_pass)


class TwilioRest:
    """`base_url`: `https://api.twilio.com`, or a region's `https://api.{edge}.{region}.twilio.com`."""

    def __init__(self, accounts: TwilioAccounts, base_url: str, *, deadline_s: float = DEADLINE_S) -> None:
        self.accounts = accounts
        self.base_url = checked_base_url(base_url)
        self._deadline_s = deadline_s

    async def ask(self, account: TwilioAccount, path: str, query: Mapping[str, str] | None = None) -> Outcome:
        """A GET, tried twice."""
        return await self._send("GET", account, path, {"params": dict(query or {})}, _ATTEMPTS)

    async def tell(self, account: TwilioAccount, path: str, form: Form, *, again: bool) -> Outcome:
        """A POST; `again`: whether it may be sent a second time, since doing it twice changes nothing."""
        return await self._send("POST", account, path, {"data": dict(form)}, _ATTEMPTS if again else 1)

    async def remove(self, account: TwilioAccount, path: str) -> Outcome:
        """A DELETE, tried twice."""
        return await self._send("DELETE", account, path, {}, _ATTEMPTS)

    async def _send(
        self, method: str, account: TwilioAccount, path: str, content: Mapping[str, Any], attempts: int
    ) -> Outcome:
        url = f"{self.base_url}/2010-04-01/Accounts/{account.sid}/{path}"
        auth = (account.sid, account.auth_tokens[0])
        async with httpx.AsyncClient(auth=auth, timeout=self._deadline_s) as client:
            outcome = Outcome(0, {}, was_sent=False)
            for _ in range(attempts):
                outcome = await self._once(client, method, url, content)
                if not outcome.may_pass:
                    break
            return outcome

    async def _once(self, client: httpx.AsyncClient, method: str, url: str, content: Mapping[str, Any]) -> Outcome:
        try:
            async with asyncio.timeout(self._deadline_s):
                response = await client.request(method, url, **content)
        except (httpx.HTTPError, TimeoutError) as error:
            return Outcome(0, {}, was_sent=not isinstance(error, _NEVER_SENT), trouble=type(error).__name__)
        return Outcome(response.status_code, _document(response))


def checked_base_url(base_url: str) -> str:
    """Raises: InvalidRequest for a host of Twilio's that names an edge without its region, or the other way round."""
    host = urlsplit(base_url).hostname or ""
    if not host or (host.endswith(".twilio.com") and not _HOST.fullmatch(host)):
        raise InvalidRequest(
            "settings", "TWILIO_API_BASE_URL is https://api.twilio.com or https://api.EDGE.REGION.twilio.com"
        )
    return base_url.rstrip("/")


def _document(response: httpx.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
