"""Which agent answers: the tenants' agents and numbers."""

from __future__ import annotations

from typing import Protocol

from shared.domain.call import Agent
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.routes import Route


class Directory(Protocol):
    """Raises `StoreError` when the store does not answer in time."""

    async def route(self, provider: Provider, number: str) -> Route | None:
        """Who answers this provider's calls to an E.164 number (with `+`), and on which line; None: nobody does."""
        ...

    async def agent(self, tenant_id: str, agent_id: str | None, version: int = 0) -> Agent | None:
        """The tenant's agent with this id; its oldest agent where no id is given. `version`: as it was published
        then, 0 for what is published now.
        """
        ...
