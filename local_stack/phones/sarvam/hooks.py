"""What a voice agent asks and tells an app by HTTP, each within its time, and again where no good answer comes.

How often and how soon is not documented; one client saw an on-end hook come eleven times.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from local_stack.phones.events import EventLog
from local_stack.phones.sarvam.credentials import Credentials

TELL_TIMEOUT_S: Final = 5.0
_ATTEMPTS: Final = 3
_PAUSES_S: Final = (0.5, 1.0)
_MAX_BYTES: Final = 256 * 1024


class HookFailed(Exception):
    """No good answer; the message is one line."""


class HookSender:
    """Sends the requests of one call."""

    def __init__(self, session: aiohttp.ClientSession, log: EventLog, credentials: Credentials) -> None:
        self.credentials = credentials
        self._session = session
        self._log = log

    async def ask(self, kind: str, url: str, document: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The JSON object of the answer; asked once more where it fails. Raises: HookFailed."""
        try:
            return await self._asked(kind, url, document, timeout_s)
        except HookFailed as failure:
            self._log.add("webhook_failed", kind=kind, url=_shown(url), attempt=1, message=str(failure))
        return await self._asked(kind, url, document, timeout_s)

    async def _asked(self, kind: str, url: str, document: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        content, headers = json.dumps(document).encode(), self.credentials.of_hook()
        status, body = await self._post(kind, url, content, headers, timeout_s)
        if not 200 <= status < 300:
            reason = " ".join(body[:200].decode(errors="replace").split())
            raise HookFailed(f"{_shown(url)} answered {status} {reason}".rstrip())
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise HookFailed(f"{_shown(url)} did not answer with a JSON object")
        return answer

    async def end(self, url: str, body: bytes, attempts: int = _ATTEMPTS) -> None:
        """The on-end hook; as `result`."""
        await self._tell("end", url, body, self.credentials.of_hook(), attempts)

    async def result(self, saved_url: str, body: bytes) -> None:
        """Until it is taken, a few times; that it is not is a line in the log. Where the call brought an address
        along, it goes there, and bears nothing.
        """
        url, now_s = self.credentials.result_url, self._log.wall_ms() / 1000
        headers = {} if url else self.credentials.of_saved_webhook(body, now_s)
        await self._tell("result", url or saved_url, body, headers, _ATTEMPTS)

    async def _tell(self, kind: str, url: str, body: bytes, headers: Mapping[str, str], attempts: int) -> None:
        for attempt in range(attempts):
            try:
                status, _ = await self._post(kind, url, body, headers, TELL_TIMEOUT_S)
                if 200 <= status < 300:
                    return
                message = f"{_shown(url)} answered {status}"
            except HookFailed as failure:
                message = str(failure)
            self._log.add("callback_failed", message=f"{kind}: {message}")
            if attempt + 1 < attempts:
                await asyncio.sleep(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)])

    async def _post(
        self, kind: str, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> tuple[int, bytes]:
        began_ms = self._log.wall_ms()
        headers = {"Content-Type": "application/json", **headers}
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._session.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                content = await response.content.read(_MAX_BYTES)
        except TimeoutError:
            raise HookFailed(f"{_shown(url)} did not answer within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise HookFailed(f"{_shown(url)} could not be reached: {error or type(error).__name__}") from None
        took_ms = round(self._log.wall_ms() - began_ms, 1)
        self._log.add("webhook_answered", kind=kind, url=_shown(url), status=response.status, took_ms=took_ms)
        return response.status, content


def _shown(url: str) -> str:
    """The address without the pass that it may bear."""
    head, mark, rest = url.partition("/result/")
    return f"{head}{mark}{rest.partition('/')[0]}/…" if mark else url
