"""Vonage's HTTP requests to an app: signed, bounded in time, tried again where that is worth it.

Source: https://api.support.vonage.com/hc/en-us/articles/115016024247
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from local_stack.phones.events import EventLog
from local_stack.phones.vonage import ncco
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.ncco import Action
from local_stack.phones.vonage.signing import Signing, headers

CONNECT_TIMEOUT_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 5.0
_WORTH_ANOTHER_TRY: Final = frozenset({429, 503, 504})
_ATTEMPTS: Final = 2


@dataclass(frozen=True)
class PreparedRequest:
    """A request to the byte, so that it can be sent again."""

    kind: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


class WebhookSender:
    """Sends the requests of one account."""

    def __init__(
        self, session: aiohttp.ClientSession, account: Account, log: EventLog, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        self._session = session
        self._account = account
        self._log = log
        self._timeout_s = timeout_s

    def prepare(
        self, kind: str, url: str, document: Mapping[str, Any], signing: Signing = Signing.VALID, method: str = "POST"
    ) -> PreparedRequest:
        """Each has a token of its own. A GET takes the fields into the address; its token covers them as JSON."""
        compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        signed = headers(self._account, compact, signing)
        if method == "GET":
            query = urlencode({name: str(value) for name, value in document.items()})
            return PreparedRequest(kind, f"{url}{'&' if '?' in url else '?'}{query}", b"", signed, "GET")
        return PreparedRequest(kind, url, compact, {**signed, "Content-Type": "application/json"})

    async def tell(self, request: PreparedRequest) -> None:
        """Something happened; what the app answers is not looked at. Raises: VonageFault."""
        await self._sent(request)

    async def ask(
        self, kind: str, url: str, document: Mapping[str, Any], fallback_url: str | None = None
    ) -> list[Action] | None:
        """What is next: an NCCO, or None where the app leaves it at what it said before. Raises: VonageFault."""
        return await self.asked(self.prepare(kind, url, document), document, fallback_url)

    async def asked(
        self, request: PreparedRequest, document: Mapping[str, Any], fallback_url: str | None
    ) -> list[Action] | None:
        """Raises: VonageFault."""
        try:
            return self._read(request, await self._sent(request))
        except VonageFault as fault:
            if fallback_url is None:
                raise
            self._log.add("carrier_error", code=fault.code, message=fault.message)
            why = {"reason": fault.message, "original_request": {"url": request.url, "type": "answer"}}
            again = self.prepare("fallback", fallback_url, {**document, **why})
            return self._read(again, await self._sent(again))

    def _read(self, request: PreparedRequest, answer: Answer) -> list[Action] | None:
        if answer.status == 204 or not answer.body.strip():
            return None
        if answer.content_type != "application/json":
            raise VonageFault("content_type", f"{request.url} answered with {answer.content_type!r}")
        return ncco.parse(answer.body)

    async def _sent(self, request: PreparedRequest) -> Answer:
        """The answer, if it is good; after no answer, and after some bad ones, it is asked for once more."""
        for attempt in range(1, _ATTEMPTS + 1):
            started_ms = self._log.wall_ms()
            try:
                answer = await self.send_once(request)
            except VonageFault as fault:
                self._log.add("webhook_failed", kind=request.kind, url=request.url, attempt=attempt,
                              code=fault.code, message=fault.message)  # fmt: skip
                if attempt == _ATTEMPTS:
                    raise
                request = self._signed_again(request)
                continue
            took_ms = round(self._log.wall_ms() - started_ms, 1)
            self._log.add("webhook_answered", kind=request.kind, url=request.url, status=answer.status,
                          took_ms=took_ms)  # fmt: skip
            if 200 <= answer.status < 300:
                return answer
            if answer.status not in _WORTH_ANOTHER_TRY or attempt == _ATTEMPTS:
                break
            request = self._signed_again(request)
        reason = " ".join(answer.body[:200].decode(errors="replace").split())
        raise VonageFault("status", f"{request.url} answered {answer.status} {reason}".rstrip())

    def _signed_again(self, request: PreparedRequest) -> PreparedRequest:
        if "Authorization" not in request.headers or request.method != "POST":
            return request
        return replace(request, headers={**request.headers, **headers(self._account, request.body)})

    async def send_once(self, request: PreparedRequest) -> Answer:
        """Raises: VonageFault where no answer comes."""
        timeout = aiohttp.ClientTimeout(total=CONNECT_TIMEOUT_S + self._timeout_s, sock_connect=CONNECT_TIMEOUT_S,
                                        sock_read=self._timeout_s)  # fmt: skip
        data = request.body if request.method == "POST" else None
        try:
            async with self._session.request(
                request.method, URL(request.url, encoded=True), data=data, headers=request.headers, timeout=timeout,
                allow_redirects=False,
            ) as response:  # fmt: skip
                body = await response.content.read(ncco.MAX_BYTES + 1)
                return Answer(response.status, response.content_type, body)
        except TimeoutError:
            raise VonageFault("timeout", f"{request.url} did not answer within {self._timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            message = f"{request.url} could not be reached: {error or type(error).__name__}"
            raise VonageFault("unreachable", message) from None
