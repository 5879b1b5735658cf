"""Which agent answers: the tenants' agents and numbers."""

from __future__ import annotations

from typing import Protocol

from shared.domain.call import Agent


class Directory(Protocol):
    """Raises `StoreError` when the store does not answer in time."""

    async def agent_on_number(self, number: str) -> Agent | None:
        """The agent that answers calls to this E.164 number (with `+`), or None for an unknown number."""
        ...

    async def agent(self, tenant_id: str, agent_id: str | None) -> Agent | None:
        """The tenant's agent with this id; its oldest agent where no id is given."""
        ...
