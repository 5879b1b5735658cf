"""OpenAI's endpoints without the SDK, which takes ten times the processor time for a request: URLs, keys, errors."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.adapters.openai.account import OpenAIAccount
from shared.domain.errors import SpeechToTextError, VoiceAgentError

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

_OPENAI = "https://api.openai.com/v1"
_AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
_KEPT_OPEN_S = 75.0
_RETRY_AFTER_S = 0.2
_LONGEST_RETRY_AFTER_S = 1.0
_BAD_REQUEST = 400
_TRANSIENT = (408, 409, 429)
_LONGEST_CODE = 60


class OpenAIWire:
    """Connections to one account, kept open between requests; they belong to the event loop that first uses them."""

    def __init__(self, account: OpenAIAccount) -> None:
        self.account = account
        self._made: aiohttp.ClientSession | None = None
        self._token: Callable[[], Awaitable[str]] | None = None
        self._used_at_s = float("-inf")
        self._opening: asyncio.Task[None] | None = None

    def session(self) -> aiohttp.ClientSession:
        if self._made is None or self._made.closed:
            import aiohttp  # noqa: PLC0415 - slow import

            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_OPEN_S, ttl_dns_cache=300)
            self._made = aiohttp.ClientSession(connector=connector, auto_decompress=True)
        return self._made

    @staticmethod
    def warm_up() -> None:
        """Do the slow import; safe to call from a thread, and again."""
        import aiohttp  # noqa: F401, PLC0415

    def url(self, path: str, model: str) -> str:
        """Where an operation is; on Azure that is a deployment's own address.

        Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference
        """
        account = self.account
        if account.azure_endpoint:
            root = f"{account.azure_endpoint.rstrip('/')}/openai/deployments/{model}"
            return f"{root}{path}?api-version={account.azure_api_version}"
        return self._base_url + path

    def transcription_socket_url(self) -> str:
        """A session that only transcribes; its model is told in the session, never here.

        Source: https://developers.openai.com/api/docs/guides/realtime-transcription and, for Azure, whose preview
        addresses are gone, https://learn.microsoft.com/azure/foundry/openai/how-to/realtime-audio-websockets and
        https://github.com/openai/openai-node/pull/1974
        """
        endpoint = self.account.azure_endpoint.rstrip("/")
        base = f"{endpoint}/openai/v1" if endpoint else self._base_url
        return f"ws{base.removeprefix('http')}/realtime?intent=transcription"

    async def headers(self, call_id: str) -> dict[str, str]:
        """Who asks, and for which call."""
        headers = {"x-call-id": call_id} if call_id else {}
        if self.account.key_header:
            return {**headers, self.account.key_header: self.account.api_key}
        if not self.account.azure_endpoint:
            return {**headers, "Authorization": f"Bearer {self.account.api_key}"}
        if self._token is None:
            from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider  # noqa: PLC0415

            credential = DefaultAzureCredential(managed_identity_client_id=self.account.client_id or None)
            self._token = get_bearer_token_provider(credential, _AZURE_SCOPE)
        return {**headers, "Authorization": f"Bearer {await self._token()}"}

    def open_connection(self) -> None:
        """Have a connection ready in the background, unless one was used lately: its handshakes take long."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._used_at_s > _KEPT_OPEN_S and (self._opening is None or self._opening.done()):
            self._used_at_s = now_s
            self._opening = asyncio.create_task(self._open_connection())

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Any:
        """The JSON of the answer. Raises: what `translated` translates."""
        async with self.stream(url, body, headers) as answer:
            return json.loads(await answer.read())

    @asynccontextmanager
    async def stream(
        self, url: str, body: bytes, headers: Mapping[str, str], *, retries: int | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request that succeeded; what failed by chance is asked again, as often as the account says
        or `retries`. Cancelling, or leaving before the end, closes the connection. Raises: what `translated`
        translates.
        """
        import aiohttp  # noqa: PLC0415 - slow import

        self._used_at_s = asyncio.get_running_loop().time()
        retries = self.account.retries if retries is None else retries
        for attempt in range(retries + 1):
            last = attempt == retries
            try:
                answer = await self.session().post(url, data=body, headers=headers)
            except aiohttp.ClientConnectionError:
                if last:
                    raise
                continue
            try:
                if answer.status < 400:
                    yield answer
                    return
                pause_s = _pause_s(answer)
                if last or pause_s is None:
                    raise Refused(answer.status, **await _objection(answer))
            finally:
                answer.close()  # harmless where all was read: the connection is back in the pool then
            await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt yields or raises")

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        if self._made is not None:
            await self._made.close()

    @property
    def _base_url(self) -> str:
        return self.account.base_url.rstrip("/") or _OPENAI

    async def _open_connection(self) -> None:
        import aiohttp  # noqa: PLC0415 - slow import

        try:
            timeout = aiohttp.ClientTimeout(total=5.0)
            address = self.account.azure_endpoint or f"{self._base_url}/models"
            headers = await self.headers("")
            async with self.session().get(address, headers=headers, timeout=timeout) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.info("no connection yet: %s", type(error).__name__)


class Refused(Exception):
    """The provider's answer is a status that says no; `parameter`: to what, and `code`: why, where it says so."""

    def __init__(self, status: int, parameter: str = "", code: str = "") -> None:
        super().__init__(f"HTTP {status} {code}".rstrip())
        self.status = status
        self.parameter = parameter
        self.code = code


def _pause_s(answer: aiohttp.ClientResponse) -> float | None:
    """How long to wait before trying again; None: it makes no sense, or takes longer than a caller waits."""
    if answer.status < 500 and answer.status not in _TRANSIENT:
        return None
    try:
        asked_s = float(answer.headers.get("Retry-After", _RETRY_AFTER_S))
    except ValueError:
        return None
    return max(asked_s, 0.0) if asked_s <= _LONGEST_RETRY_AFTER_S else None


async def _objection(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The parameter that the provider objects to, and its word for it."""
    if answer.status != _BAD_REQUEST:
        return {}
    try:
        error = json.loads(await answer.read())["error"]
        return {"parameter": str(error.get("param") or ""), "code": str(error.get("code") or "")[:_LONGEST_CODE]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


@asynccontextmanager
async def translated(what: str, error_type: type[VoiceAgentError] = SpeechToTextError) -> AsyncIterator[None]:
    """Raises: `error_type` for whatever goes wrong while doing `what`.

    An answer that makes no sense fails as one of Python's own errors, so nothing is let through.
    """
    import aiohttp  # noqa: PLC0415 - slow import

    try:
        yield
    except VoiceAgentError:
        raise
    except (Refused, aiohttp.WSServerHandshakeError) as error:
        retryable = error.status >= 500 or error.status in _TRANSIENT
        said = str(error) if isinstance(error, Refused) else f"HTTP {error.status}"
        raise error_type("openai_refused", said, retryable=retryable) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError) as error:
        raise error_type("openai_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error
    except Exception as error:
        raise error_type("openai_failed", f"{what}: {type(error).__name__}", retryable=True) from error
