"""Who we are to Web PubSub's REST API: tokens as the SDK makes them, but kept while they are good."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import jwt

from shared.domain.errors import MediaError

_KEY_TOKEN_LIFETIME_S = 60
_KEY_TOKEN_MARGIN_S = 20
_REMEMBERED_URLS = 1024
_SCOPE = "https://webpubsub.azure.com/.default"
_IDENTITY_TOKEN_MARGIN_S = 300
_IDENTITY_TIMEOUT_S = 10.0


class Bearer(Protocol):
    """Gives the Authorization header for a URL."""

    async def authorization(self, url: str) -> str:
        """Raises: MediaError if no token can be had."""
        ...

    def forget(self, url: str) -> None:
        """The service has refused this URL's header: the next one must be fresh."""
        ...


class AccessKeyBearer:
    """Tokens signed with an access key. Each names the one URL it is for.

    Source: https://learn.microsoft.com/rest/api/webpubsub/#rest-api-authentication
    """

    def __init__(self, access_key: str) -> None:
        self._access_key = access_key
        self._kept: dict[str, tuple[str, float]] = {}

    async def authorization(self, url: str) -> str:
        kept = self._kept.get(url)
        now_s = time.time()
        if kept is not None and now_s < kept[1]:
            return kept[0]
        expires_at = int(now_s) + _KEY_TOKEN_LIFETIME_S
        token = jwt.encode({"aud": url, "exp": expires_at}, self._access_key, algorithm="HS256")
        if len(self._kept) >= _REMEMBERED_URLS:
            self._kept.clear()
        self._kept[url] = (f"Bearer {token}", expires_at - _KEY_TOKEN_MARGIN_S)
        return self._kept[url][0]

    def forget(self, url: str) -> None:
        self._kept.pop(url, None)


class AccessToken(Protocol):
    """As azure-identity gives it; `expires_on` in seconds of the Unix epoch."""

    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int: ...


class Credential(Protocol):
    """What of azure-identity's credentials is needed here."""

    async def get_token(self, *scopes: str) -> AccessToken: ...


class IdentityBearer:
    """One token of a managed identity for all URLs, renewed five minutes before its end."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._header = ""
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def authorization(self, url: str) -> str:
        del url  # the token is for the service as a whole
        if time.time() < self._renew_at:
            return self._header
        async with self._renewing:
            if time.time() >= self._renew_at:
                await self._renew()
        return self._header

    async def _renew(self) -> None:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - the SDK comes with the credential

        try:
            async with asyncio.timeout(_IDENTITY_TIMEOUT_S):
                token = await self._credential.get_token(_SCOPE)
        except (AzureError, TimeoutError) as error:
            reason = f"sign in: {type(error).__name__}"
            raise MediaError("web_pubsub_unavailable", reason, retryable=True) from error
        self._header = f"Bearer {token.token}"
        self._renew_at = token.expires_on - _IDENTITY_TOKEN_MARGIN_S

    def forget(self, url: str) -> None:
        del url
        self._renew_at = 0.0
