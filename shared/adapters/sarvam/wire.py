"""Sarvam's endpoints: where they are, who asks, and what their failures mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain.errors import SpeechToTextError

if TYPE_CHECKING:
    import aiohttp

_KEPT_OPEN_S = 75.0


@dataclass(frozen=True, slots=True)
class SarvamAccount:
    """`base_url` is an `https` origin, with a path where something stands before the service."""

    api_key: str
    base_url: str = "https://api.sarvam.ai"


class SarvamWire:
    """Connections to one account; they belong to the event loop that first uses them."""

    def __init__(self, account: SarvamAccount) -> None:
        self._account = account
        self._made: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """Every request bears the key.

        Source: https://docs.sarvam.ai/api-reference/speech-to-text/transcribe/realtime/ws
        """
        if self._made is None or self._made.closed:
            import aiohttp  # noqa: PLC0415 - slow import

            connector = aiohttp.TCPConnector(keepalive_timeout=_KEPT_OPEN_S, ttl_dns_cache=300)
            headers = {"api-subscription-key": self._account.api_key}
            self._made = aiohttp.ClientSession(connector=connector, headers=headers)
        return self._made

    def url(self, path: str) -> str:
        return self._account.base_url.rstrip("/") + path

    def socket_url(self, path: str) -> str:
        return f"ws{self.url(path).removeprefix('http')}"

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()


def refused(status: int) -> SpeechToTextError:
    """Source: the errors of https://pypi.org/project/sarvamai/0.1.39; of 4xx only 429 passes."""
    return SpeechToTextError("sarvam_refused", f"HTTP {status}", retryable=status >= 500 or status == 429)


@asynccontextmanager
async def translated(what: str) -> AsyncIterator[None]:
    """Raises: SpeechToTextError for whatever goes wrong while doing `what`, senseless answers included."""
    import aiohttp  # noqa: PLC0415 - slow import

    try:
        yield
    except SpeechToTextError:
        raise
    except aiohttp.WSServerHandshakeError as error:
        raise refused(error.status) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError) as error:
        raise SpeechToTextError("sarvam_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error
    except Exception as error:
        raise SpeechToTextError("sarvam_failed", f"{what}: {type(error).__name__}", retryable=True) from error
