"""Puts tenants, agents and numbers from a JSON file into the database; running it again changes nothing.

The file: `{"tenants": [{"tenant_id", "slug", "name", "agents": [AGENT, …], "numbers": [NUMBER, …]}]}`;
an AGENT has `agent_id` and the fields of `shared.domain.agents.document.AgentDocument`, and what it says is
published; a NUMBER has `number` (E.164), `agent_id` and, where they differ from `twilio`, `provider` and `line`
(`shared.domain.telephony.lines.Line`). The numbers are allotted to the tenant that names them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from infra.database.connection import SetupError
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.agents.consistency import faults_of
from shared.domain.agents.document import AgentDocument
from shared.domain.agents.faults import InvalidDocument

_TENANT = ("tenant_id", "slug", "name")
_AGENT = ("agent_id",)
_NUMBER = ("number", "agent_id")
_NUMBER_OPTIONS = ("provider", "line")
_NUMBER_KEY = ("provider", "number")
_USUAL_PROVIDER = "twilio"
_DOCUMENT = tuple(field.name for field in fields(AgentDocument))
_BY = "seed"


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many rows the file names."""

    tenants: int
    agents: int
    numbers: int


def seed(connection: psycopg.Connection[Any], path: Path) -> Seeded:
    """Insert or update what the file names, all or nothing; what it does not name stays as it is.

    Raises: SetupError with one line that says which entry is wrong.
    """
    tenants = _tenants_in(path)
    agents = numbers = 0
    try:
        with connection.transaction():
            for tenant in tenants:
                _put(connection, "tenants", ("tenant_id",), {key: tenant[key] for key in _TENANT})
                for agent in tenant["agents"]:
                    _publish(connection, tenant["tenant_id"], agent)
                    agents += 1
                for number in tenant["numbers"]:
                    row = {"tenant_id": tenant["tenant_id"], **_with_line(number)}
                    _put(connection, "numbers", _NUMBER_KEY, row)
                    whose = {name: row[name] for name in (*_NUMBER_KEY, "tenant_id")}
                    _put(connection, "number_allotments", _NUMBER_KEY, whose)
                    numbers += 1
    except psycopg.Error as error:
        raise SetupError(f"{path.name}: {str(error).strip().splitlines()[0]}") from error
    return Seeded(len(tenants), agents, numbers)


_PUBLISHED = """
select document from agents join agent_versions using (tenant_id, agent_id)
where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s and version = published
"""
_PUBLISH = (
    """
    insert into agents (tenant_id, agent_id, name, persona, greeting)
    values (%(tenant_id)s, %(agent_id)s, %(name)s, '', '') on conflict do nothing
    """,
    """
    insert into agent_versions (tenant_id, agent_id, version, document, created_by)
    select %(tenant_id)s, %(agent_id)s, 1 + coalesce(max(version), 0), %(document)s, %(by)s
    from agent_versions where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s
    """,
    """
    with pointed as (
        update agents set name = %(name)s, updated_at = clock_timestamp(), published = (
            select max(version) from agent_versions where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s)
        where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s returning published
    )
    insert into agent_publications (tenant_id, agent_id, version, published_by)
    select %(tenant_id)s, %(agent_id)s, published, %(by)s from pointed
    """,
)


def _publish(connection: psycopg.Connection[Any], tenant_id: str, agent: dict[str, Any]) -> None:
    """Make the document the newest version, unless it is what answers already."""
    document = {name: value for name, value in agent.items() if name != "agent_id"}
    key = {"tenant_id": tenant_id, "agent_id": agent["agent_id"]}
    published = connection.execute(_PUBLISHED, key).fetchone()
    if published is None or published[0] != document:
        for statement in _PUBLISH:
            connection.execute(statement, {**key, "name": document["name"], "document": Jsonb(document), "by": _BY})


def _put(connection: psycopg.Connection[Any], table: str, key: tuple[str, ...], row: dict[str, str]) -> None:
    """Upsert one row, untouched where it is the same already; a row of another tenant is never taken over."""
    others = [name for name in row if name not in key]
    statement = sql.SQL(
        "insert into {table} as present ({names}) values ({values}) on conflict ({key}) do update set {sets},"
        " updated_at = case when ({present}) is distinct from ({new}) then clock_timestamp()"
        " else present.updated_at end"
        " where present.tenant_id = excluded.tenant_id returning tenant_id"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, row)),
        values=sql.SQL(", ").join(map(sql.Placeholder, row)),
        key=sql.SQL(", ").join(map(sql.Identifier, key)),
        sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others),
        present=sql.SQL(", ").join(sql.Identifier("present", name) for name in others),
        new=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in others),
    )
    if connection.execute(statement, row).fetchone() is None:
        raise SetupError(f"{table}: {', '.join(str(row[name]) for name in key)} belongs to another tenant")


def _tenants_in(path: Path) -> list[dict[str, Any]]:
    """The file's tenants, with every entry's keys and every agent's document checked; the rest is the database's."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SetupError(f"{path.name} is not JSON: {error}") from error
    top = _entry(content, ("tenants",), (), path.name)
    tenants = []
    for i, tenant in enumerate(_entries(top["tenants"], f"{path.name}: tenants")):
        where = f"{path.name}: tenants[{i}]"
        checked = {"agents": [], "numbers": [], **_entry(tenant, _TENANT, ("agents", "numbers"), where)}
        for kind, required, optional in (("agents", _AGENT, _DOCUMENT), ("numbers", _NUMBER, _NUMBER_OPTIONS)):
            for j, item in enumerate(_entries(checked[kind], f"{where}.{kind}")):
                _entry(item, required, optional, f"{where}.{kind}[{j}]")
        for j, item in enumerate(checked["agents"]):
            _check_document(item, f"{where}.agents[{j}]")
        tenants.append(checked)
    return tenants


def _entries(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SetupError(f"{where} must be a list")
    return value


def _entry(value: object, required: tuple[str, ...], optional: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SetupError(f"{where} must be an object")
    if missing := [name for name in required if name not in value]:
        raise SetupError(f"{where} lacks {', '.join(missing)}")
    if unknown := sorted(value.keys() - {*required, *optional}):
        raise SetupError(f"{where} has unknown {', '.join(unknown)}")
    return value


def _with_line(number: dict[str, Any]) -> dict[str, Any]:
    """The number with its provider, Twilio where none is named, and its line, the provider's first."""
    provider = number.get("provider", _USUAL_PROVIDER)
    return {"provider": provider, "line": provider, **number}


def _check_document(agent: dict[str, Any], where: str) -> None:
    """Raises: SetupError that names the fields."""
    document = {name: value for name, value in agent.items() if name != "agent_id"}
    try:
        faults = faults_of(PydanticAgentDocuments().read(document))
    except InvalidDocument as error:
        faults = list(error.faults)
    if faults:
        raise SetupError(f"{where}: {InvalidDocument(faults).message}")
