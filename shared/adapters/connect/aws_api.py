"""Asks AWS's REST services in JSON: signed, within a deadline, and tried once more where that is safe.

Source of paths, fields and errors: botocore's service models `connect`, `kinesisvideo` and `kinesis-video-media`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from shared.adapters.connect.sigv4 import AwsKeys, Scope, signed_headers
from shared.domain.errors import InvalidRequest, TelephonyError

_DEADLINE_S = 5.0
_ATTEMPTS = 2
_PAUSE_S = 0.3
_INSTANCE = re.compile(r"arn:aws[a-z-]*:connect:([a-z0-9-]+):([0-9]{12}):instance/([0-9a-zA-Z-]{1,100})")


@dataclass(frozen=True, slots=True)
class Instance:
    """One of Amazon Connect's instances."""

    arn: str
    region: str
    instance_id: str


def read_instance(arn: str) -> Instance:
    """Raises: InvalidRequest."""
    found = _INSTANCE.fullmatch(arn.strip())
    if found is None:
        raise InvalidRequest("settings", "CONNECT_INSTANCE_ARNS names no instance of Amazon Connect")
    return Instance(arn.strip(), found[1], found[3])


class AwsRefused(TelephonyError):
    """AWS has answered with an error; `name` is its kind, such as `ContactNotFoundException`."""

    def __init__(self, operation: str, status: int, name: str) -> None:
        retryable = status >= 500 or status == 429
        super().__init__("aws_refused", f"{operation}: HTTP {status} {name}".strip(), retryable=retryable)
        self.status = status
        self.name = name


class AwsAway(TelephonyError):
    """No answer from AWS. `was_sent`: the request may have been carried out."""

    def __init__(self, operation: str, error: Exception) -> None:
        super().__init__("aws_unavailable", f"{operation}: {type(error).__name__}", retryable=True)
        self.was_sent = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))


class AwsApi:
    """`base_url`: empty for AWS's own endpoints. `now`: the time that requests are signed with."""

    def __init__(
        self,
        *,
        keys: AwsKeys,
        region: str,
        now: Callable[[], datetime],
        base_url: str = "",
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._keys = keys
        self._region = region
        self._now = now
        self._base_url = base_url.rstrip("/")
        self._deadline_s = deadline_s

    def url(self, service: str) -> str:
        return self._base_url or f"https://{service}.{self._region}.amazonaws.com"

    async def ask(
        self,
        operation: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        service: str = "connect",
    ) -> dict[str, Any]:
        """The answer's object. What is asked is safe to be asked twice. Raises: AwsRefused, AwsAway."""
        content = b"" if body is None else json.dumps(body).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._once(operation, method, self.url(service) + path, content, service)
            except TelephonyError as error:
                if not error.retryable or attempt == _ATTEMPTS:
                    raise
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("unreachable")

    async def _once(self, operation: str, method: str, url: str, content: bytes, service: str) -> dict[str, Any]:
        headers = self._signed(method, url, content, service)
        try:
            async with asyncio.timeout(self._deadline_s), httpx.AsyncClient(timeout=self._deadline_s) as client:
                response = await client.request(method, url, content=content, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            raise AwsAway(operation, error) from error
        if not response.is_success:
            raise AwsRefused(operation, response.status_code, error_name(response.headers, response.content))
        try:
            document = json.loads(response.content or b"{}")
        except (ValueError, RecursionError) as error:
            raise AwsAway(operation, error) from error
        return document if isinstance(document, dict) else {}

    @asynccontextmanager
    async def stream(
        self, operation: str, url: str, body: Mapping[str, Any], *, service: str, silence_s: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The answer's bytes as they come; a silence of `silence_s` ends it. Raises: AwsRefused, AwsAway."""
        content = json.dumps(body).encode()
        headers = self._signed("POST", url, content, service)
        timeout = httpx.Timeout(self._deadline_s, read=silence_s)
        try:
            async with (
                httpx.AsyncClient(timeout=timeout) as client,
                client.stream("POST", url, content=content, headers=headers) as response,
            ):
                if not response.is_success:
                    name = error_name(response.headers, await response.aread())
                    raise AwsRefused(operation, response.status_code, name)
                yield _until_silent(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise AwsAway(operation, error) from error

    def _signed(self, method: str, url: str, content: bytes, service: str) -> dict[str, str]:
        headers = {"content-type": "application/json"} if content else {}
        return signed_headers(
            self._keys, Scope(self._region, service), method, url, body=content, headers=headers, at=self._now()
        )


async def _until_silent(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for data in response.aiter_raw():
            yield data
    except httpx.ReadTimeout:
        return


def error_name(headers: Mapping[str, str], content: bytes) -> str:
    """The kind of an error: AWS writes it into a header or into the body, with a namespace or an address around it.

    Source: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
    """
    given = headers.get("x-amzn-errortype", "")
    if not given:
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            return ""
        given = str(document.get("__type") or document.get("code") or "") if isinstance(document, dict) else ""
    return given.partition(":")[0].rpartition("#")[2][:80]
