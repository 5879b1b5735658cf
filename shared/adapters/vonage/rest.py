"""Vonage's REST API: our application's token, deadlines, and what is tried again and what never is.

Source: https://developer.vonage.com/en/api/voice
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import httpx
import jwt

from shared.adapters.vonage.events import is_vonage
from shared.domain.errors import TelephonyError

DEADLINE_S = 5.0
_ATTEMPTS = 2
_PAUSE_S = 0.2
_TOKEN_LIFETIME_S = 900
_TOKEN_MARGIN_S = 60
_ISSUED_EARLIER_S = 5
"""Clocks differ: a token from the future is refused."""
_TOO_MANY_REQUESTS = 429


class NoAnswer(Exception):
    """The request may have been carried out, and what became of it is not known."""


class VonageApi:
    """Signs with the application's private key (RS256). `base_url`: for calls whose region is not known;
    where it is not Vonage's own, for all calls.
    """

    def __init__(
        self, *, application_id: str, private_key: str, base_url: str, deadline_s: float = DEADLINE_S
    ) -> None:
        self._application_id = application_id
        self._private_key = private_key.replace("\\n", "\n")  # as a setting of one line has it
        self.base_url = base_url.rstrip("/")
        self._deadline_s = deadline_s
        self._token = ""
        self._renew_at_s = 0.0

    async def ask(
        self, what: str, method: str, path: str, *, region_url: str = "", again: bool = True, **options: Any
    ) -> httpx.Response:
        """The answer, whatever its status below 500 and but 429. `again`: a second try is harmless.

        Raises: NoAnswer for what is not to be tried again and may have been carried out; else TelephonyError.
        """
        may_move = is_vonage(region_url) and is_vonage(self.base_url)
        base_url = region_url.rstrip("/") if may_move else self.base_url
        attempts = _ATTEMPTS if again else 1
        async with httpx.AsyncClient(timeout=self._deadline_s, trust_env=False) as client:
            for attempt in range(1, attempts + 1):
                headers = {"Authorization": f"Bearer {self.token()}"}
                try:
                    async with asyncio.timeout(self._deadline_s):
                        response = await client.request(method, f"{base_url}{path}", headers=headers, **options)
                except httpx.ConnectError as error:
                    failure: TelephonyError = _unavailable(what, error)
                except (httpx.HTTPError, TimeoutError) as error:
                    if not again:
                        raise NoAnswer(f"{what}: {type(error).__name__}") from error
                    failure = _unavailable(what, error)
                else:
                    if response.status_code < 500 and response.status_code != _TOO_MANY_REQUESTS:
                        return response
                    if not again and response.status_code >= 500:
                        raise NoAnswer(f"{what}: HTTP {response.status_code}")
                    failure = refusal(what, response)
                if attempt == attempts:
                    raise failure
                await asyncio.sleep(_PAUSE_S)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def token(self) -> str:
        """Raises: TelephonyError where the private key is none."""
        now_s = time.time()
        if now_s >= self._renew_at_s:
            issued_at = int(now_s) - _ISSUED_EARLIER_S
            claims = {
                "application_id": self._application_id,
                "iat": issued_at,
                "exp": issued_at + _TOKEN_LIFETIME_S,
                "jti": str(uuid.uuid4()),
            }
            try:
                self._token = jwt.encode(claims, self._private_key, algorithm="RS256")
            except (ValueError, TypeError, jwt.InvalidKeyError):
                raise TelephonyError("vonage_private_key", "VONAGE_PRIVATE_KEY is no RSA key in PEM") from None
            self._renew_at_s = issued_at + _TOKEN_LIFETIME_S - _TOKEN_MARGIN_S
        return self._token


def refusal(what: str, response: httpx.Response) -> TelephonyError:
    retryable = response.status_code >= 500 or response.status_code == _TOO_MANY_REQUESTS
    return TelephonyError("vonage_refused", f"{what}: HTTP {response.status_code}", retryable=retryable)


def document_of(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; empty where it is none."""
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _unavailable(what: str, error: Exception) -> TelephonyError:
    return TelephonyError("vonage_unavailable", f"{what}: {type(error).__name__}", retryable=True)
