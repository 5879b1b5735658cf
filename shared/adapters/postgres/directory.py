"""Fills `Directory` with PostgreSQL, and remembers for half a minute who answers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, LiteralString

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable
from shared.domain.agents.document import Agent, AgentDocument
from shared.domain.agents.faults import InvalidDocument
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Route

logger = logging.getLogger(__name__)

_CACHE_ENTRIES = 1024
_TRAITS = tuple(AgentDocument.__dataclass_fields__)

_SELECT: LiteralString = """
select agents.tenant_id, agents.agent_id, agent_versions.version, agent_versions.document
from agents join agent_versions using (tenant_id, agent_id)
"""
_ON_NUMBER: LiteralString = """
select agents.tenant_id, agents.agent_id, agent_versions.version, agent_versions.document, numbers.line
from numbers join agents using (tenant_id, agent_id) join agent_versions using (tenant_id, agent_id)
where numbers.provider = %(provider)s and numbers.number = %(number)s and agent_versions.version = agents.published
"""
_BY_ID: LiteralString = (
    _SELECT
    + " where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s"
    + " and version = case when %(version)s = 0 then published else %(version)s end"
)
_OLDEST: LiteralString = (
    _SELECT + " where tenant_id = %(tenant_id)s and version = published order by agents.created_at, agent_id limit 1"
)


class PostgresDirectory:
    """The `Directory` on a `PostgresPool`. `read` reads a document; an answer stands for `cache_s` seconds, "unknown"
    is not kept.
    """

    def __init__(
        self,
        pool: PostgresPool,
        read: Callable[[Mapping[str, Any]], AgentDocument],
        *,
        cache_s: float = 30.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._pool = pool
        self._read = read
        self._cache_s = cache_s
        self._clock = clock
        self._cache: dict[tuple[str | int, ...], tuple[float, Agent, Line | None]] = {}

    async def route(self, provider: Provider, number: str) -> Route | None:
        params = {"provider": provider.value, "number": number}
        found = await self._ask(("number", provider, number), _ON_NUMBER, params)
        return Route(found[0], found[1]) if found and found[1] else None

    async def agent(self, tenant_id: str, agent_id: str | None, version: int = 0) -> Agent | None:
        if agent_id is None:
            found = await self._ask(("oldest", tenant_id), _OLDEST, {"tenant_id": tenant_id})
        else:
            params: dict[str, str | int] = {"tenant_id": tenant_id, "agent_id": agent_id, "version": version}
            found = await self._ask(("id", tenant_id, agent_id, version), _BY_ID, params)
        return found[0] if found else None

    async def _ask(
        self, key: tuple[str | int, ...], statement: LiteralString, params: Mapping[str, str | int]
    ) -> tuple[Agent, Line | None] | None:
        now = self._clock()
        if (known := self._cache.get(key)) is not None and known[0] > now:
            return known[1:]
        can_be_there = are_storable(value for value in params.values() if isinstance(value, str))
        rows = await self._pool.execute(statement, params, repeatable=True) if can_be_there else []
        self._cache.pop(key, None)
        if not rows or (agent := self._agent_of(rows[0])) is None:
            return None
        if len(self._cache) >= _CACHE_ENTRIES:
            self._cache.pop(next(iter(self._cache)))
        line = Line(rows[0]["line"]) if "line" in rows[0] else None
        self._cache[key] = (now + self._cache_s, agent, line)
        return agent, line

    def _agent_of(self, row: Mapping[str, Any]) -> Agent | None:
        """A caller is answered even if an earlier or a later release has other rules: without the wrong parts of the
        document, as long as what it must have is right.
        """
        document = dict(row["document"])
        try:
            read = self._read(document)
        except InvalidDocument as error:
            logger.error("agent %s version %d is not right: %s", row["agent_id"], row["version"], error)
            for fault in error.faults:
                document.pop(re.split(r"[.[]", fault.field)[0], None)
            try:
                read = self._read(document)
            except InvalidDocument:
                return None
        traits = {name: getattr(read, name) for name in _TRAITS}
        return Agent(tenant_id=row["tenant_id"], agent_id=row["agent_id"], version=row["version"], **traits)
