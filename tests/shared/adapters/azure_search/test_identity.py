"""On Azure the index is asked in the app's own name: with a token for the service, and with no key."""

from __future__ import annotations

import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport

from shared.adapters.azure_search import service
from shared.adapters.azure_search.address import SearchAddress
from shared.adapters.azure_search.knowledge import AzureSearchKnowledge
from shared.domain.errors import KnowledgeError


class Identity:
    """In place of the managed identity, which only Azure has."""

    asked: list[tuple[str | None, tuple[str, ...]]]

    def __init__(self, client_id: str | None = None) -> None:
        self._client_id = client_id

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.append((self._client_id, scopes))
        return AccessToken("of-the-app", int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("client_id", ["a-client", ""])
async def test_a_token_of_the_managed_identity_goes_with_each_request(
    monkeypatch: pytest.MonkeyPatch, client_id: str
) -> None:
    identity = type("IdentityOfTest", (Identity,), {"asked": []})
    monkeypatch.setattr(service, "ManagedIdentityCredential" if client_id else "DefaultAzureCredential", identity)
    sent: list[dict[str, str]] = []

    async def send(_: object, request: Any, **__: Any) -> None:
        assert request.url.startswith("https://shop.search.windows.net/")
        sent.append({name.lower(): value for name, value in request.headers.items()})
        raise ServiceRequestError("it is far away")

    monkeypatch.setattr(AioHttpTransport, "send", send)
    knowledge = AzureSearchKnowledge(
        SearchAddress("https://shop.search.windows.net", "passages", client_id=client_id)
    )
    with pytest.raises(KnowledgeError) as refused:
        await knowledge.search("acme", ["shop"], "when", (1.0, 0.0), most=1)
    await knowledge.aclose()
    assert refused.value.retryable
    assert sent
    assert {headers["authorization"] for headers in sent} == {"Bearer of-the-app"}
    assert not any("api-key" in headers for headers in sent)
    assert set(identity.asked) == {(client_id or None, ("https://search.azure.com/.default",))}
