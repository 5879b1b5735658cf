"""Gets and keeps the bearer tokens with which upstream webhooks are called, as a managed identity would."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from local_stack.web_pubsub.configuration import ManagedIdentity
from local_stack.web_pubsub.http_client import HttpClient, Unreachable, parse_target

_RENEW_BEFORE_EXPIRY_S = 60.0
_TOKEN_TIMEOUT_S = 10.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    header: bytes = b""
    renew_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class UpstreamAuth:
    """Bearer tokens by OAuth 2.0 client credentials, kept until shortly before expiry."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._held: dict[ManagedIdentity, _Held] = {}

    async def header(self, identity: ManagedIdentity | None) -> bytes:
        """The Authorization header line, empty if the webhook takes none.

        Raises: Unreachable if the token service gives no token.
        """
        if identity is None:
            return b""
        held = self._held.get(identity)
        if held is None:
            held = self._held[identity] = _Held()
        if time.time() < held.renew_at:
            return held.header
        async with held.lock:
            if time.time() >= held.renew_at:
                token, lifetime_s = await self._fetch(identity)
                margin_s = min(_RENEW_BEFORE_EXPIRY_S, lifetime_s / 2)
                held.header = f"Authorization: Bearer {token}\r\n".encode("ascii")
                held.renew_at = time.time() + lifetime_s - margin_s
                _log.info("got an upstream token from %s, good for %.0f s", identity.token_url, lifetime_s)
        return held.header

    def forget(self, identity: ManagedIdentity | None) -> None:
        """Drop a token that a webhook refused, so that the next request brings a new one."""
        if identity is not None:
            self._held.pop(identity, None)

    async def _fetch(self, identity: ManagedIdentity) -> tuple[str, float]:
        target = parse_target(identity.token_url)
        form = {
            "grant_type": "client_credentials",
            "client_id": identity.client_id,
            "client_secret": identity.client_secret,
            "scope": identity.scope,
            "audience": identity.audience,
        }
        body = urlencode({name: value for name, value in form.items() if value}).encode()
        head = (
            f"POST {target.path} HTTP/1.1\r\nHost: {target.host_header}\r\nAccept: application/json\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        deadline = asyncio.get_running_loop().time() + _TOKEN_TIMEOUT_S
        response = await self._client.request(target, head.encode() + body, deadline)
        if response.status != 200:
            raise Unreachable(f"{identity.token_url} answered {response.status} to the token request")
        try:
            answer = json.loads(response.body)
            return str(answer["access_token"]), float(answer.get("expires_in", 300))
        except (ValueError, TypeError, KeyError) as error:
            raise Unreachable(f"{identity.token_url} gave no access_token") from error
