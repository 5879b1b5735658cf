"""Sarvam's endpoints: where they are, who asks, and what their failures mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.domain.errors import SpeechToTextError, VoiceAgentError

if TYPE_CHECKING:
    import aiohttp

_KEPT_OPEN_S = 75.0
_RETRY_AFTER_S = 0.2
_LONGEST_RETRY_AFTER_S = 1.0
_LONGEST_COMPLAINT_BYTES = 16_384
_JSON = {"Content-Type": "application/json"}

KEY_HEADER = "api-subscription-key"
"""Source: https://docs.sarvam.ai/api-reference/speech-to-text/transcribe/realtime/ws"""

_PASSING = frozenset(
    {
        "rate_limit_exceeded_error",
        "model_call_error",
        "gateway_timeout_error",
        "billing_service_unavailable_error",
        "internal_server_error",
    }
)
_LASTING = frozenset(
    {
        "invalid_request_error",
        "unprocessable_entity_error",
        "invalid_api_key_error",
        "authentication_error",
        "insufficient_quota_error",
        "not_found_error",
    }
)
"""Source: `types/error_code.py` of https://pypi.org/project/sarvamai/0.1.39; a quota used up is a 429, too."""


@dataclass(frozen=True, slots=True)
class SarvamAccount:
    """`base_url` is an `https` origin, with a path where something stands before the service."""

    api_key: str
    base_url: str = "https://api.sarvam.ai"


class Refused(Exception):
    """The answer is a status that says no; `code`: why, where the body says so."""

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(f"HTTP {status} {code}".strip())
        self.status = status
        self.code = code

    @property
    def is_passing(self) -> bool:
        return is_passing(self.status, self.code)


class SarvamWire:
    """Connections to one account; they belong to the event loop that first uses them."""

    def __init__(self, account: SarvamAccount) -> None:
        self.account = account
        self._made: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """Every request bears the key."""
        if self._made is None or self._made.closed:
            import aiohttp  # noqa: PLC0415 - slow import

            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_OPEN_S, ttl_dns_cache=300)
            headers = {KEY_HEADER: self.account.api_key}
            self._made = aiohttp.ClientSession(connector=connector, headers=headers)
        return self._made

    def url(self, path: str) -> str:
        return self.account.base_url.rstrip("/") + path

    def socket_url(self, path: str) -> str:
        return f"ws{self.url(path).removeprefix('http')}"

    async def connect(self, path_and_query: str, close_s: float) -> aiohttp.ClientWebSocketResponse:
        import aiohttp  # noqa: PLC0415 - slow import

        timeout = aiohttp.ClientWSTimeout(ws_close=close_s)
        return await self.session().ws_connect(self.socket_url(path_and_query), timeout=timeout, compress=0)

    async def ask(self, path: str, document: Mapping[str, Any]) -> Any:
        """The JSON of the answer. Raises: what `translated` translates."""
        async with self.post(path, json.dumps(document).encode(), _JSON) as answer:
            return json.loads(await answer.read())

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] = _JSON
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request that may be made twice without harm, as it is when it failed by chance. Leaving
        before its end closes the connection. Raises: what `translated` translates.
        """
        answer = await self._posted(path, body, headers)
        if answer is None:
            answer = await self._posted(path, body, headers, is_last=True)
        if answer is None:
            raise AssertionError("the last attempt answers or raises")
        try:
            yield answer
        finally:
            answer.close()  # harmless where all was read: the connection is back in the pool then

    async def _posted(
        self, path: str, body: bytes, headers: Mapping[str, str], *, is_last: bool = False
    ) -> aiohttp.ClientResponse | None:
        """The answer, or None once it makes sense to ask again."""
        import aiohttp  # noqa: PLC0415 - slow import

        try:
            answer = await self.session().post(self.url(path), data=body, headers=headers)
        except aiohttp.ClientConnectionError:
            if is_last:
                raise
            return None
        if answer.status < 400:
            return answer
        try:
            refusal = Refused(answer.status, await _code(answer))
            pause_s = _pause_s(answer)
        finally:
            answer.close()
        if is_last or not refusal.is_passing or pause_s > _LONGEST_RETRY_AFTER_S:
            raise refusal
        await asyncio.sleep(pause_s)
        return None

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()


def is_passing(status: int, code: str) -> bool:
    """Whether the same request may succeed later."""
    if code in _PASSING or code in _LASTING:
        return code in _PASSING
    return status >= 500 or status in (0, 408, 429)


async def _code(answer: aiohttp.ClientResponse) -> str:
    try:
        code = json.loads(await answer.content.read(_LONGEST_COMPLAINT_BYTES))["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return code if isinstance(code, str) and code.isidentifier() else ""


def _pause_s(answer: aiohttp.ClientResponse) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", _RETRY_AFTER_S)))
    except ValueError:
        return _RETRY_AFTER_S


@asynccontextmanager
async def translated(what: str, error_type: type[VoiceAgentError] = SpeechToTextError) -> AsyncIterator[None]:
    """Raises: `error_type` for whatever goes wrong while doing `what`, senseless answers included."""
    import aiohttp  # noqa: PLC0415 - slow import

    try:
        yield
    except VoiceAgentError:
        raise
    except Refused as refusal:
        raise error_type("sarvam_refused", str(refusal), retryable=refusal.is_passing) from refusal
    except aiohttp.WSServerHandshakeError as error:
        retryable = is_passing(error.status, "")
        raise error_type("sarvam_refused", f"HTTP {error.status}", retryable=retryable) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError) as error:
        raise error_type("sarvam_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error
    except Exception as error:
        raise error_type("sarvam_failed", f"{what}: {type(error).__name__}", retryable=True) from error
