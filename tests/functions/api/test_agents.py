"""The agents API: an administrator drafts, publishes and rolls back; everybody else, and other tenants, may not."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from functions.api import agents
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.use_cases.agents.edit_agents import EditAgents
from tests.fakes.agent_versions import FakeAgentVersions
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

DOCUMENT = {"name": "Desk", "persona": "You are the desk.", "greeting": "Hello."}
EVERYTHING = (
    "list_agents",
    "get_agent_schema",
    "get_agent",
    "put_agent_draft",
    "publish_agent",
    "roll_back_agent",
    "list_agent_versions",
    "get_agent_version",
)


@pytest.fixture(autouse=True)
def store(install: Installer) -> FakeAgentVersions:
    store = FakeAgentVersions()
    install(agents, agents=EditAgents(store, PydanticAgentDocuments()))
    return store


async def ask(
    name: str,
    document: Any = None,
    *,
    token: str | None = "admin",
    agent_id: str = "desk",
    version: str = "1",
    headers: dict[str, str] | None = None,
) -> func.HttpResponse:
    body = b"" if document is None else json.dumps(document).encode()
    route = {"agent_id": agent_id, "version": version}
    asked = request(route=route, body=body, token=token, headers=headers or {})
    response: func.HttpResponse = await user_function(getattr(agents, name))(asked)
    return response


async def test_from_draft_to_rollback() -> None:
    first = await ask("put_agent_draft", DOCUMENT, headers={"If-None-Match": "*"})
    assert (first.status_code, first.headers["ETag"]) == (200, '"1"')
    assert document_of(await ask("publish_agent", {"revision": 1, "note": "first"})) == {"published": 1}
    changed = await ask("put_agent_draft", DOCUMENT | {"greeting": "Welcome."}, headers={"If-Match": '"1"'})
    assert document_of(changed)["has_draft"]
    seen = document_of(await ask("get_agent"))
    assert (seen["draft"]["greeting"], seen["published"], seen["latest"]) == ("Welcome.", 1, 1)
    assert document_of(await ask("publish_agent", {"revision": 2})) == {"published": 2}
    assert document_of(await ask("roll_back_agent", {"version": 1})) == {"published": 1}
    history = document_of(await ask("list_agent_versions"))
    assert [each["version"] for each in history["versions"]] == [2, 1]
    assert [each["version"] for each in history["publications"]] == [1, 2, 1]
    assert document_of(await ask("get_agent_version"))["document"] == DOCUMENT
    assert [each["agent_id"] for each in document_of(await ask("list_agents"))["agents"]] == ["desk"]


async def test_a_wrong_document_is_told_by_field() -> None:
    response = await ask("put_agent_draft", {**DOCUMENT, "patience_ms": 5, "manner": {"fillers": "Well"}})
    assert_problem(response, 400, "agent_document")
    assert [each["field"] for each in document_of(response)["errors"]] == ["patience_ms", "manner.fillers"]


async def test_parts_that_do_not_fit_are_told_by_field() -> None:
    flow = {"steps": [{"name": "start", "instructions": "Ask.", "tools": ["dig"]}]}
    response = await ask("put_agent_draft", {**DOCUMENT, "flow": flow})
    assert_problem(response, 400, "agent_document")
    assert [each["field"] for each in document_of(response)["errors"]] == ["flow.steps[0].tools[0]"]


async def test_nobodys_change_is_lost() -> None:
    await ask("put_agent_draft", DOCUMENT)
    assert_problem(await ask("put_agent_draft", DOCUMENT, headers={"If-Match": '"7"'}), 409, "draft_changed")
    assert_problem(await ask("put_agent_draft", DOCUMENT, headers={"If-None-Match": "*"}), 409, "draft_changed")
    assert_problem(await ask("publish_agent", {"revision": 7}), 409, "draft_changed")


@pytest.mark.parametrize(
    ("name", "document", "code"),
    [
        ("publish_agent", {}, "revision"),
        ("publish_agent", {"revision": -1}, "revision"),
        ("publish_agent", {"revision": True}, "revision"),
        ("publish_agent", {"revision": 1, "note": "a" * 501}, "note"),
        ("publish_agent", {"revision": 1, "by": "me"}, "unknown_field"),
        ("roll_back_agent", {"version": "1"}, "version"),
        ("put_agent_draft", [], "not_an_object"),
    ],
)
async def test_bad_input(name: str, document: Any, code: str) -> None:
    assert_problem(await ask(name, document), 400, code)


@pytest.mark.parametrize("tag", ["1x", '"-1"', 'W/"1"', "9" * 10])
async def test_a_tag_that_is_none(tag: str) -> None:
    assert_problem(await ask("put_agent_draft", DOCUMENT, headers={"If-Match": tag}), 400, "if_match")


@pytest.mark.parametrize("agent_id", ["", "A", "-a", "a" * 64, "a b", "ä"])
async def test_an_id_that_cannot_be_one(agent_id: str) -> None:
    assert_problem(await ask("put_agent_draft", DOCUMENT, agent_id=agent_id), 400, "agent_id")


async def test_what_is_not_there() -> None:
    assert_problem(await ask("get_agent"), 404, "agent_unknown")
    assert_problem(await ask("publish_agent", {"revision": 1}), 404, "agent_unknown")
    assert_problem(await ask("list_agent_versions"), 404, "agent_unknown")
    assert_problem(await ask("roll_back_agent", {"version": 1}), 404, "version_unknown")
    assert_problem(await ask("get_agent_version", version="9"), 404, "version_unknown")


async def test_another_tenants_agents_are_not_there(store: FakeAgentVersions) -> None:
    await store.save_draft("tenant-2", "desk", DOCUMENT, revision=0)
    await store.publish("tenant-2", "desk", revision=1, by="x", note="")
    assert document_of(await ask("list_agents")) == {"agents": []}
    assert_problem(await ask("get_agent"), 404, "agent_unknown")
    assert_problem(await ask("roll_back_agent", {"version": 1}), 404, "version_unknown")
    assert_problem(await ask("get_agent_version"), 404, "version_unknown")


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("caller", 403), ("operator", 403)])
async def test_who_may_not(name: str, token: str | None, status: int) -> None:
    assert (await ask(name, DOCUMENT, token=token)).status_code == status


async def test_the_schema_is_published() -> None:
    response = await ask("get_agent_schema")
    assert response.mimetype == "application/schema+json"
    assert document_of(response)["properties"]["greeting"]["maxLength"] == 1000
