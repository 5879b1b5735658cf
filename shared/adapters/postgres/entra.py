"""The password of a PostgreSQL role that is an Entra identity: a token, made when a connection is opened."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any
from weakref import WeakKeyDictionary

_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"


class EntraPassword:
    """Call it for a token that is valid now; the SDK keeps it and renews it minutes before it expires.

    `client_id` names a user-assigned managed identity; without it the environment decides (managed identity
    on Azure, the developer's sign-in elsewhere).
    Source: https://learn.microsoft.com/azure/postgresql/flexible-server/security-entra-configure
    """

    def __init__(self, client_id: str | None = None) -> None:
        self._client_id = client_id
        self._credentials: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    async def __call__(self) -> str:
        """Raises: azure.core.exceptions.AzureError if the identity gets no token."""
        loop = asyncio.get_running_loop()
        if loop not in self._credentials:
            identity = await asyncio.to_thread(importlib.import_module, "azure.identity.aio")
            self._credentials.setdefault(
                loop,
                identity.ManagedIdentityCredential(client_id=self._client_id)
                if self._client_id
                else identity.DefaultAzureCredential(),
            )
        token = await self._credentials[loop].get_token(_SCOPE)
        return str(token.token)

    async def aclose(self) -> None:
        """Close what the running event loop holds."""
        if (credential := self._credentials.pop(asyncio.get_running_loop(), None)) is not None:
            await credential.close()
