"""Fills `Directory` with PostgreSQL, and remembers for half a minute who answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import fields
from time import monotonic
from typing import Any, LiteralString

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable
from shared.domain.call import Agent
from shared.domain.errors import InvalidRequest
from shared.domain.manner import Manner
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Route

logger = logging.getLogger(__name__)

_CACHE_ENTRIES = 1024

_SELECT: LiteralString = (
    "select agents.agent_id, agents.tenant_id, agents.name, agents.persona, agents.greeting, agents.language,"
    " agents.voice, agents.patience_ms, agents.silence_limit_s, agents.interruptible, agents.manner"
)
_ON_NUMBER: LiteralString = (
    _SELECT
    + ", numbers.line from agents join numbers using (tenant_id, agent_id)"
    + " where numbers.provider = %(provider)s and numbers.number = %(number)s"
)
_BY_ID = _SELECT + " from agents where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s"
_OLDEST = _SELECT + " from agents where tenant_id = %(tenant_id)s order by created_at, agent_id limit 1"


class PostgresDirectory:
    """The `Directory` on a `PostgresPool`; an answer stands for `cache_s` seconds, "unknown" is not kept."""

    def __init__(self, pool: PostgresPool, *, cache_s: float = 30.0, clock: Callable[[], float] = monotonic) -> None:
        self._pool = pool
        self._cache_s = cache_s
        self._clock = clock
        self._cache: dict[tuple[str, ...], tuple[float, Mapping[str, Any]]] = {}

    async def route(self, provider: Provider, number: str) -> Route | None:
        params = {"provider": provider.value, "number": number}
        row = await self._ask(("number", provider, number), _ON_NUMBER, params)
        return Route(row["agent"], Line(row["line"])) if row else None

    async def agent(self, tenant_id: str, agent_id: str | None) -> Agent | None:
        if agent_id is None:
            row = await self._ask(("oldest", tenant_id), _OLDEST, {"tenant_id": tenant_id})
        else:
            params = {"tenant_id": tenant_id, "agent_id": agent_id}
            row = await self._ask(("id", tenant_id, agent_id), _BY_ID, params)
        return row["agent"] if row else None

    async def _ask(
        self, key: tuple[str, ...], statement: LiteralString, params: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The first row, with its agent as `agent`."""
        now = self._clock()
        if (known := self._cache.get(key)) is not None and known[0] > now:
            return known[1]
        known_text = are_storable(params.values())
        rows = await self._pool.execute(statement, params, repeatable=True) if known_text else []
        self._cache.pop(key, None)
        if not rows:
            return None
        answer = {**rows[0], "agent": _agent_of(rows[0])}
        if len(self._cache) >= _CACHE_ENTRIES:
            self._cache.pop(next(iter(self._cache)))
        self._cache[key] = (now + self._cache_s, answer)
        return answer


def _agent_of(row: Mapping[str, Any]) -> Agent:
    """The agent of a row. One whose manner is not valid answers all the same, in the usual manner."""
    try:
        manner = Manner.from_json(row["manner"])
    except InvalidRequest as error:
        logger.error("agent %s answers in the usual manner, since its own is not valid: %s", row["agent_id"], error)
        manner = Manner()
    traits = {field.name: row[field.name] for field in fields(Agent)}
    return Agent(**{**traits, "manner": manner})
