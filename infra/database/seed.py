"""Puts tenants, agents and numbers from a JSON file into the database; running it again changes nothing.

The file: `{"tenants": [{"tenant_id", "slug", "name", "agents": [AGENT, …], "numbers": [NUMBER, …]}]}`;
an AGENT has `agent_id`, `name`, `persona`, `greeting` and, where they differ from the usual, `language`,
`voice`, `patience_ms`, `silence_limit_s`, `interruptible` and `manner`, an object of the fields of
`shared.domain.manner.Manner` that differ; a NUMBER has `number` (E.164), `agent_id` and,
where they differ from `twilio`, `provider` and `line` (`shared.domain.telephony.lines.Line`). The numbers are
allotted to the tenant that names them.
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
from shared.domain.errors import InvalidRequest
from shared.domain.manner import Manner

_TENANT = ("tenant_id", "slug", "name")
_AGENT = ("agent_id", "name", "persona", "greeting")
_AGENT_OPTIONS = ("language", "voice", "patience_ms", "silence_limit_s", "interruptible", "manner")
_NUMBER = ("number", "agent_id")
_NUMBER_OPTIONS = ("provider", "line")
_NUMBER_KEY = ("provider", "number")
_USUAL_PROVIDER = "twilio"
_MANNER = tuple(field.name for field in fields(Manner))


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
                    row = {"tenant_id": tenant["tenant_id"], **agent}
                    _put(connection, "agents", ("tenant_id", "agent_id"), row)
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


def _put(
    connection: psycopg.Connection[Any], table: str, key: tuple[str, ...], row: dict[str, str | int | bool | Jsonb]
) -> None:
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
    """The file's tenants, with every entry's keys checked; values, but for manners, are checked by the database."""
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
        for kind, required, optional in (("agents", _AGENT, _AGENT_OPTIONS), ("numbers", _NUMBER, _NUMBER_OPTIONS)):
            for j, item in enumerate(_entries(checked[kind], f"{where}.{kind}")):
                _entry(item, required, optional, f"{where}.{kind}[{j}]")
        checked["agents"] = [_with_manner(item, f"{where}.agents[{j}]") for j, item in enumerate(checked["agents"])]
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


def _with_manner(agent: dict[str, Any], where: str) -> dict[str, Any]:
    """The agent with its manner, if it has one, checked and ready for its column."""
    if "manner" not in agent:
        return agent
    manner = _entry(agent["manner"], (), _MANNER, f"{where}.manner")
    try:
        Manner.from_json(manner)
    except InvalidRequest as error:
        raise SetupError(f"{where}.manner: {error.message}") from error
    return {**agent, "manner": Jsonb(manner)}
