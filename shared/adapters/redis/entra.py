"""Signing in to Azure Managed Redis as an Entra identity: the user is its object id, the password a token."""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
from dataclasses import dataclass
from typing import Any

from shared.domain.errors import StoreError

_SCOPE = "https://redis.azure.com/.default"


@dataclass(frozen=True, slots=True)
class SignIn:
    """`expires_at`: Unix epoch in seconds; Redis then closes connections that have not signed in again."""

    user: str
    password: str
    expires_at: float


class EntraSignIn:
    """Call it for what signs in now; the SDK keeps the token and renews it minutes before it expires.

    `client_id` names a user-assigned managed identity; without it the environment decides (managed identity
    on Azure, the developer's sign-in elsewhere).
    Source: https://learn.microsoft.com/azure/redis/entra-for-authentication
    """

    def __init__(self, client_id: str | None = None) -> None:
        self._client_id = client_id
        self._loop: asyncio.AbstractEventLoop | None = None
        self._credential: Any = None

    async def __call__(self) -> SignIn:
        """Raises: azure.core.exceptions.AzureError if the identity gets no token, StoreError if it is not ours."""
        if self._loop is not asyncio.get_running_loop():
            made = await asyncio.to_thread(self._make)  # which loads the SDK
            self._loop, self._credential = asyncio.get_running_loop(), made
        token = await self._credential.get_token(_SCOPE)
        return SignIn(_object_id(token.token), token.token, float(token.expires_on))

    def _make(self) -> Any:
        identity = importlib.import_module("azure.identity.aio")
        if self._client_id:
            return identity.ManagedIdentityCredential(client_id=self._client_id)
        return identity.DefaultAzureCredential()

    async def aclose(self) -> None:
        """Close what the running event loop holds."""
        if self._loop is asyncio.get_running_loop():
            self._loop, credential = None, self._credential
            await credential.close()


def _object_id(token: str) -> str:
    """The claim `oid`; who issued the token is for Redis to check."""
    try:
        claims = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise StoreError("redis_unavailable", "the identity's token names no object id", retryable=True) from error
