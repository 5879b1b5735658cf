"""Fills `AgentVersions` with PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable
from shared.domain.errors import Conflict, InvalidRequest, NotFound
from shared.ports.agent_versions import AgentRecord, AgentVersion, Publication

_SELECT: LiteralString = """
select agent_id, coalesce(draft ->> 'name', name) as name, draft, draft_revision as revision, published, updated_at,
    (select coalesce(max(version), 0) from agent_versions
     where agent_versions.tenant_id = agents.tenant_id and agent_versions.agent_id = agents.agent_id) as latest
from agents
"""
_ALL: LiteralString = _SELECT + " where tenant_id = %(tenant_id)s order by agent_id"
_ONE: LiteralString = _SELECT + " where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s"
_SAVE = """
insert into agents as present (tenant_id, agent_id, name, persona, greeting, draft, draft_revision)
select %(tenant_id)s, %(agent_id)s, %(name)s, '', '', %(draft)s::jsonb, 1
where coalesce(%(revision)s, 0) = 0 or exists (
    select from agents where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s)
on conflict (tenant_id, agent_id) do update
    set draft = excluded.draft, draft_revision = present.draft_revision + 1, updated_at = clock_timestamp()
    where %(revision)s::integer is null or present.draft_revision = %(revision)s
returning agent_id
"""
_PUBLISH = """
with drafted as (
    select draft from agents
    where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s and draft_revision = %(revision)s
        and draft is not null
    for update
), made as (
    insert into agent_versions (tenant_id, agent_id, version, document, note, created_by)
    select %(tenant_id)s, %(agent_id)s, 1 + coalesce((
        select max(version) from agent_versions where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s), 0),
        draft, %(note)s, %(by)s
    from drafted
    returning version, document
), told as (
    insert into agent_publications (tenant_id, agent_id, version, published_by)
    select %(tenant_id)s, %(agent_id)s, version, %(by)s from made
)
update agents set published = made.version, draft = null, name = made.document ->> 'name',
    updated_at = clock_timestamp()
from made where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s
returning made.version
"""
_POINT = """
with pointed as (
    update agents set published = %(version)s, updated_at = clock_timestamp()
    where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s and exists (
        select from agent_versions
        where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s and version = %(version)s)
    returning published
)
insert into agent_publications (tenant_id, agent_id, version, published_by)
select %(tenant_id)s, %(agent_id)s, published, %(by)s from pointed
returning version
"""
_VERSIONS: LiteralString = """
select version, document, note, created_by, created_at from agent_versions
where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s
"""
_PUBLICATIONS: LiteralString = """
select version, published_by, published_at from agent_publications
where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s order by sequence desc limit 200
"""


class PostgresAgentVersions:
    """The `AgentVersions` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def all(self, tenant_id: str) -> Sequence[AgentRecord]:
        return [AgentRecord(**row) for row in await self._read(_ALL, {"tenant_id": tenant_id})]

    async def one(self, tenant_id: str, agent_id: str) -> AgentRecord | None:
        rows = await self._read(_ONE, {"tenant_id": tenant_id, "agent_id": agent_id})
        return AgentRecord(**rows[0]) if rows else None

    async def save_draft(
        self, tenant_id: str, agent_id: str, document: Mapping[str, Any], *, revision: int | None
    ) -> AgentRecord:
        draft = json.dumps(document, ensure_ascii=False)
        if not are_storable((agent_id, draft)) or "\\u0000" in draft:
            raise InvalidRequest("agent_document", "the document has characters that cannot be kept")
        params = {"tenant_id": tenant_id, "agent_id": agent_id, "revision": revision, "draft": draft}
        rows = await self._pool.execute(_SAVE, params | {"name": document["name"]}, repeatable=False)
        saved = await self.one(tenant_id, agent_id) if rows else None
        if saved is None:
            raise Conflict("draft_changed", "somebody has changed the draft meanwhile: read it again")
        return saved

    async def publish(self, tenant_id: str, agent_id: str, *, revision: int, by: str, note: str) -> int:
        params = {"tenant_id": tenant_id, "agent_id": agent_id, "revision": revision, "by": by, "note": note}
        rows = await self._pool.execute(_PUBLISH, params, repeatable=False)
        if not rows:
            raise Conflict("draft_changed", "there is no draft with this revision: read it again")
        return int(rows[0]["version"])

    async def point(self, tenant_id: str, agent_id: str, version: int, *, by: str) -> None:
        params = {"tenant_id": tenant_id, "agent_id": agent_id, "version": version, "by": by}
        if not are_storable((agent_id,)) or not await self._pool.execute(_POINT, params, repeatable=False):
            raise NotFound("version_unknown", "the agent has no such version")

    async def versions(self, tenant_id: str, agent_id: str) -> Sequence[AgentVersion]:
        params = {"tenant_id": tenant_id, "agent_id": agent_id}
        rows = await self._read(_VERSIONS + " order by version desc limit 200", params)
        return [AgentVersion(**row) for row in rows]

    async def version(self, tenant_id: str, agent_id: str, version: int) -> AgentVersion | None:
        params: dict[str, str | int] = {"tenant_id": tenant_id, "agent_id": agent_id, "version": version}
        rows = await self._read(_VERSIONS + " and version = %(version)s", params)
        return AgentVersion(**rows[0]) if rows else None

    async def publications(self, tenant_id: str, agent_id: str) -> Sequence[Publication]:
        rows = await self._read(_PUBLICATIONS, {"tenant_id": tenant_id, "agent_id": agent_id})
        return [Publication(**row) for row in rows]

    async def _read(self, statement: LiteralString, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
        """What no row can hold finds none."""
        if not are_storable(value for value in params.values() if isinstance(value, str)):
            return []
        return [dict(row) for row in await self._pool.execute(statement, params, repeatable=True)]
