"""Ends calls by Twilio's REST API. Source: https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource"""

from __future__ import annotations

import asyncio

import httpx

from shared.domain.errors import TelephonyError

_DEADLINE_S = 5.0
_ATTEMPTS = 2
_NOT_FOUND = 404
_NOT_IN_PROGRESS = 21220


class TwilioCallControl:
    """Fills the port `CallControl`. Ending is idempotent, so a failed request is tried once more."""

    def __init__(self, *, account_sid: str, auth_token: str, base_url: str, deadline_s: float = _DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._calls_url = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Calls"
        self._auth = (account_sid, auth_token)

    async def hang_up(self, provider_call_id: str) -> None:
        url = f"{self._calls_url}/{provider_call_id}.json"
        async with httpx.AsyncClient(auth=self._auth, timeout=self._deadline_s) as client:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    async with asyncio.timeout(self._deadline_s):
                        response = await client.post(url, data={"Status": "completed"})
                except (httpx.HTTPError, TimeoutError) as error:
                    if attempt == _ATTEMPTS:
                        raise TelephonyError(
                            "twilio_unavailable", f"hang up: {type(error).__name__}", retryable=True
                        ) from error
                    continue
                if response.is_success or _has_ended(response):
                    return
                retryable = response.status_code >= 500 or response.status_code == 429
                if not retryable or attempt == _ATTEMPTS:
                    status = f"hang up: HTTP {response.status_code}"
                    raise TelephonyError("twilio_refused", status, retryable=retryable)


def _has_ended(response: httpx.Response) -> bool:
    """Whether the call is over already. Source: https://www.twilio.com/docs/api/errors/21220"""
    if response.status_code == _NOT_FOUND:
        return True
    try:
        return bool(response.json()["code"] == _NOT_IN_PROGRESS)
    except (ValueError, KeyError, TypeError):
        return False
