"""Agents' versions in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.errors import Conflict, NotFound
from shared.ports.agent_versions import AgentRecord, AgentVersion, Publication

AT = datetime(2026, 1, 2, tzinfo=UTC)


class FakeAgentVersions:
    """Fills the port `AgentVersions`."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], AgentRecord] = {}
        self._versions: dict[tuple[str, str], list[AgentVersion]] = {}
        self._publications: dict[tuple[str, str], list[Publication]] = {}

    async def all(self, tenant_id: str) -> Sequence[AgentRecord]:
        return [record for key, record in sorted(self._records.items()) if key[0] == tenant_id]

    async def one(self, tenant_id: str, agent_id: str) -> AgentRecord | None:
        return self._records.get((tenant_id, agent_id))

    async def save_draft(
        self, tenant_id: str, agent_id: str, document: Mapping[str, Any], *, revision: int | None
    ) -> AgentRecord:
        known = self._records.get((tenant_id, agent_id))
        if revision is not None and revision != (known.revision if known else 0):
            raise Conflict("draft_changed", "changed")
        present = known or AgentRecord(agent_id, "", None, 0, None, 0, AT)
        saved = replace(present, name=document["name"], draft=dict(document), revision=present.revision + 1)
        self._records[tenant_id, agent_id] = saved
        return saved

    async def publish(self, tenant_id: str, agent_id: str, *, revision: int, by: str, note: str) -> int:
        record = self._records.get((tenant_id, agent_id))
        if record is None or record.draft is None or record.revision != revision:
            raise Conflict("draft_changed", "changed")
        versions = self._versions.setdefault((tenant_id, agent_id), [])
        versions.insert(0, AgentVersion(len(versions) + 1, record.draft, note, by, AT))
        self._records[tenant_id, agent_id] = replace(record, draft=None, latest=len(versions))
        await self.point(tenant_id, agent_id, len(versions), by=by)
        return len(versions)

    async def point(self, tenant_id: str, agent_id: str, version: int, *, by: str) -> None:
        if await self.version(tenant_id, agent_id, version) is None:
            raise NotFound("version_unknown", "unknown")
        key = (tenant_id, agent_id)
        self._records[key] = replace(self._records[key], published=version)
        self._publications.setdefault(key, []).insert(0, Publication(version, by, AT))

    async def versions(self, tenant_id: str, agent_id: str) -> Sequence[AgentVersion]:
        return self._versions.get((tenant_id, agent_id), [])

    async def version(self, tenant_id: str, agent_id: str, version: int) -> AgentVersion | None:
        return next((each for each in await self.versions(tenant_id, agent_id) if each.version == version), None)

    async def publications(self, tenant_id: str, agent_id: str) -> Sequence[Publication]:
        return self._publications.get((tenant_id, agent_id), [])
