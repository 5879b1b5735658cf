"""The carrier's HTTP requests to the app: signed, bounded in time and size, tried twice."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from local_stack.phones.events import EventLog
from local_stack.phones.twilio import twiml
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.forms import Fields
from local_stack.phones.twilio.signature import Signer, Signing
from local_stack.phones.twilio.verbs import Verb

TOTAL_TIMEOUT_S: Final = 15.0
CONNECT_TIMEOUT_S: Final = 5.0
_ATTEMPTS: Final = 2
_TWIML_TYPES: Final = ("text/xml", "application/xml", "text/html", "text/plain")


@dataclass(frozen=True)
class PreparedRequest:
    """A request to the byte, so that it can be sent again."""

    kind: str
    method: str
    url: str
    body: bytes
    headers: dict[str, str]
    attempts: int = _ATTEMPTS
    timeout_s: float = TOTAL_TIMEOUT_S


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


class WebhookSender:
    """Sends the requests of one account."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        signer: Signer,
        log: EventLog,
        timeout_s: float = TOTAL_TIMEOUT_S,
    ) -> None:
        self._session = session
        self._signer = signer
        self._log = log
        self._timeout_s = timeout_s

    def prepare(
        self, kind: str, method: str, url: str, fields: Fields, signing: Signing = Signing.VALID
    ) -> PreparedRequest:
        """Signs the public address as the app gave it, without a fragment; a GET takes the fields into it.

        The fragment overrides how often and how long it is tried: `#rc=2&tt=5000`.
        Source: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
        """
        overrides = dict(parse_qsl(urlsplit(url).fragment))
        parts = urlsplit(url)._replace(fragment="")
        if method == "GET":
            query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
            parts, signed_fields = parts._replace(query=query), []
        else:
            signed_fields = fields
        address = urlunsplit(parts)
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            **self._signer.headers(signing, address, signed_fields),
        }
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        attempts = 1 + _override(overrides, "rc", _ATTEMPTS - 1, 0, 5)
        timeout_s = _override(overrides, "tt", round(self._timeout_s * 1000), 100, 15_000) / 1000
        body = urlencode(signed_fields).encode()
        return PreparedRequest(kind, method, address, body, headers, attempts, timeout_s)

    async def send(self, request: PreparedRequest) -> Answer:
        """Sends it, once more if no answer came. Raises: CarrierFault, also for an answer that is not 2xx."""
        for attempt in range(1, request.attempts + 1):
            started_ms = self._log.wall_ms()
            try:
                answer = await self._send_once(request)
            except CarrierFault as fault:
                self._log.add("webhook_failed", kind=request.kind, method=request.method, url=request.url,
                              attempt=attempt, code=int(fault.code), message=fault.message)  # fmt: skip
                if attempt == request.attempts:
                    raise
                continue
            took_ms = round(self._log.wall_ms() - started_ms, 1)
            self._log.add("webhook_answered", kind=request.kind, method=request.method, url=request.url,
                          status=answer.status, took_ms=took_ms)  # fmt: skip
            break
        if not 200 <= answer.status < 300:
            reason = " ".join(answer.body[:200].decode(errors="replace").split())
            raise CarrierFault(
                ErrorCode.HTTP_RETRIEVAL_FAILURE, f"{request.url} answered {answer.status} {reason}".rstrip()
            )
        return answer

    async def fetch_twiml(self, request: PreparedRequest) -> list[Verb]:
        """Asks for TwiML and reads it. Raises: CarrierFault."""
        answer = await self.send(request)
        if answer.body and answer.content_type not in _TWIML_TYPES:
            raise CarrierFault(ErrorCode.INVALID_CONTENT_TYPE, f"TwiML came as {answer.content_type!r}")
        return twiml.parse(answer.body, request.url)

    async def _send_once(self, request: PreparedRequest) -> Answer:
        timeout = aiohttp.ClientTimeout(total=request.timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        data = request.body if request.method == "POST" else None
        try:
            async with self._session.request(
                request.method, URL(request.url, encoded=True), data=data, headers=request.headers,
                timeout=timeout, allow_redirects=False,
            ) as response:  # fmt: skip
                body = await _bounded_body(response)
                return Answer(response.status, response.content_type, body)
        except TimeoutError:
            message = f"{request.url} did not answer within {request.timeout_s:g} s"
            raise CarrierFault(ErrorCode.HTTP_TIMEOUT, message) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            message = f"{request.url} could not be reached: {error or type(error).__name__}"
            raise CarrierFault(ErrorCode.HTTP_CONNECTION_FAILURE, message) from None


def _override(overrides: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    value = overrides.get(name, "")
    return min(max(int(value), lowest), highest) if value.isdecimal() else default


async def _bounded_body(response: aiohttp.ClientResponse) -> bytes:
    """At most one byte more than TwiML may have, so that too much is noticed and never all read."""
    body = bytearray()
    async for piece in response.content.iter_chunked(16 * 1024):
        body += piece
        if len(body) > twiml.MAX_BYTES:
            break
    return bytes(body[: twiml.MAX_BYTES + 1])
