"""What was ever drafted and published of the tenants' agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """`draft`: what is being worked on, None where that is the published version; `revision` grows with each change
    of it. `published`: the version that answers, None where none does. `latest`: 0 before the first.
    """

    agent_id: str
    name: str
    draft: Mapping[str, Any] | None
    revision: int
    published: int | None
    latest: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """A document that was published once; it never changes."""

    version: int
    document: Mapping[str, Any]
    note: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Publication:
    """From when on a version answered."""

    version: int
    published_by: str
    published_at: datetime


class AgentVersions(Protocol):
    """Raises `StoreError` when the store does not answer in time; each method keeps to one tenant."""

    async def all(self, tenant_id: str) -> Sequence[AgentRecord]:
        """By their ids."""
        ...

    async def one(self, tenant_id: str, agent_id: str) -> AgentRecord | None: ...

    async def save_draft(
        self, tenant_id: str, agent_id: str, document: Mapping[str, Any], *, revision: int | None
    ) -> AgentRecord:
        """Keep what is being worked on; the first time, this makes the agent. `revision`: the one that was changed
        (0 for an agent that is not there yet), None to overwrite whatever there is.
        Raises: Conflict where somebody else has changed it meanwhile.
        """
        ...

    async def publish(self, tenant_id: str, agent_id: str, *, revision: int, by: str, note: str) -> int:
        """Make a version of the draft with this revision, which answers from now on; gives its number.
        Raises: Conflict for a draft that has changed or is not there.
        """
        ...

    async def point(self, tenant_id: str, agent_id: str, version: int, *, by: str) -> None:
        """Let this version answer. Raises: NotFound."""
        ...

    async def versions(self, tenant_id: str, agent_id: str) -> Sequence[AgentVersion]:
        """The newest first."""
        ...

    async def version(self, tenant_id: str, agent_id: str, version: int) -> AgentVersion | None: ...

    async def publications(self, tenant_id: str, agent_id: str) -> Sequence[Publication]:
        """The newest first."""
        ...
