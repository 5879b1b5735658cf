"""The tenant's agents: drafts, published versions, and which of them answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import azure.functions as func

from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import object_in, only, text_of, whole_of
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import InvalidRequest, NotFound
from shared.domain.principal import Role
from shared.ports.agent_versions import AgentRecord, AgentVersion

blueprint = func.Blueprint()

_ONE = "api/agents/{agent_id}"
_MAX_DOCUMENT_BYTES = 512 * 1024


@blueprint.route(route="api/agents", methods=["GET"])
async def list_agents(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        records = await services().agents.versions.all(principal.tenant_id)
        return json_answer({"agents": [_record(record) for record in records]})

    return await answer("list agents", deed)


@blueprint.route(route="api/agents/schema", methods=["GET"])
async def get_agent_schema(req: func.HttpRequest) -> func.HttpResponse:
    """JSON Schema of an agent's document."""

    async def deed() -> func.HttpResponse:
        await require(req, Role.ADMIN)
        return json_answer(services().agents.documents.schema(), mimetype="application/schema+json")

    return await answer("get agent schema", deed)


@blueprint.route(route=_ONE, methods=["GET"])
async def get_agent(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        record = await services().agents.versions.one(principal.tenant_id, req.route_params["agent_id"])
        if record is None:
            raise NotFound("agent_unknown", "there is no such agent")
        return json_answer(_record(record) | {"draft": record.draft}, headers=_tag(record))

    return await answer("get agent", deed)


@blueprint.route(route=_ONE + "/draft", methods=["PUT"])
async def put_agent_draft(req: func.HttpRequest) -> func.HttpResponse:
    """Body: the document. `If-Match` names the revision that was read, so that nobody's change is lost."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        document = object_in(req, max_bytes=_MAX_DOCUMENT_BYTES)
        record = await services().agents.save_draft(
            principal.tenant_id, req.route_params["agent_id"], document, revision=_revision(req)
        )
        return json_answer(_record(record), status=200, headers=_tag(record))

    return await answer("put agent draft", deed)


@blueprint.route(route=_ONE + "/publish", methods=["POST"])
async def publish_agent(req: func.HttpRequest) -> func.HttpResponse:
    """Body: the `revision` of the draft and, if there is one, a `note`."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        document = object_in(req)
        only(document, "revision", "note")
        version = await services().agents.publish(
            principal.tenant_id,
            req.route_params["agent_id"],
            revision=whole_of(document, "revision"),
            by=principal.subject,
            note=text_of(document, "note", otherwise=""),
        )
        return json_answer({"published": version})

    return await answer("publish agent", deed)


@blueprint.route(route=_ONE + "/rollback", methods=["POST"])
async def roll_back_agent(req: func.HttpRequest) -> func.HttpResponse:
    """Body: the `version` that is to answer again."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        document = object_in(req)
        only(document, "version")
        version = whole_of(document, "version")
        agent_id = req.route_params["agent_id"]
        await services().agents.roll_back(principal.tenant_id, agent_id, version, by=principal.subject)
        return json_answer({"published": version})

    return await answer("roll back agent", deed)


@blueprint.route(route=_ONE + "/versions", methods=["GET"])
async def list_agent_versions(req: func.HttpRequest) -> func.HttpResponse:
    """All versions, and when each of them answered."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        agent_id = req.route_params["agent_id"]
        store = services().agents.versions
        versions = await store.versions(principal.tenant_id, agent_id)
        if not versions and await store.one(principal.tenant_id, agent_id) is None:
            raise NotFound("agent_unknown", "there is no such agent")
        publications = [
            {"version": each.version, "by": each.published_by, "at": each.published_at.astimezone(UTC).isoformat()}
            for each in await store.publications(principal.tenant_id, agent_id)
        ]
        return json_answer({"versions": [_version(each) for each in versions], "publications": publications})

    return await answer("list agent versions", deed)


@blueprint.route(route=_ONE + "/versions/{version:int}", methods=["GET"])
async def get_agent_version(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        number = int(req.route_params["version"])
        found = await services().agents.versions.version(principal.tenant_id, req.route_params["agent_id"], number)
        if found is None:
            raise NotFound("version_unknown", "the agent has no such version")
        return json_answer(_version(found) | {"document": dict(found.document)})

    return await answer("get agent version", deed)


def _revision(req: func.HttpRequest) -> int | None:
    """Of `If-Match: "3"`; `If-None-Match: *` is said of an agent that is new. Raises: InvalidRequest."""
    if req.headers.get("If-None-Match", "").strip() == "*":
        return 0
    tag = req.headers.get("If-Match", "").strip()
    if tag in ("", "*"):
        return None
    revision = tag.strip('"')
    if not revision.isdecimal() or len(revision) > 9:
        raise InvalidRequest("if_match", "If-Match must be the ETag of the agent")
    return int(revision)


def _tag(record: AgentRecord) -> Mapping[str, str]:
    return {"ETag": f'"{record.revision}"'}


def _record(record: AgentRecord) -> dict[str, Any]:
    return {
        "agent_id": record.agent_id,
        "name": record.name,
        "revision": record.revision,
        "has_draft": record.draft is not None,
        "published": record.published,
        "latest": record.latest,
        "updated_at": record.updated_at.astimezone(UTC).isoformat(),
    }


def _version(version: AgentVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "note": version.note,
        "created_by": version.created_by,
        "created_at": version.created_at.astimezone(UTC).isoformat(),
    }
