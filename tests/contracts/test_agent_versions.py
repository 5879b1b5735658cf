"""What every `AgentVersions` does: drafts that nobody loses, versions that never change, tenants apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.adapters.postgres.agent_versions import PostgresAgentVersions
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.errors import Conflict, InvalidRequest, NotFound
from shared.ports.agent_versions import AgentVersions
from tests.contracts.conftest import Tenant

NEW = "desk"
DOCUMENT = {"name": "Desk", "persona": "You are the desk.", "greeting": "Hello."}


@pytest.fixture(params=["postgres"])
async def versions(request: pytest.FixtureRequest, postgres_dsn: str) -> AsyncIterator[AgentVersions]:
    pool = PostgresPool(postgres_dsn)
    yield PostgresAgentVersions(pool)
    await pool.aclose()


async def test_from_draft_to_version(versions: AgentVersions, acme: Tenant) -> None:
    drafted = await versions.save_draft(acme.tenant_id, NEW, DOCUMENT, revision=0)
    assert (drafted.revision, drafted.published, drafted.latest) == (1, None, 0)
    assert (drafted.name, drafted.draft) == ("Desk", DOCUMENT)
    assert await versions.publish(acme.tenant_id, NEW, revision=1, by="ann", note="first") == 1
    published = await versions.one(acme.tenant_id, NEW)
    assert published is not None
    assert (published.draft, published.published, published.latest) == (None, 1, 1)
    (version,) = await versions.versions(acme.tenant_id, NEW)
    assert (version.version, version.document, version.note, version.created_by) == (1, DOCUMENT, "first", "ann")


async def test_a_version_answers_again(versions: AgentVersions, acme: Tenant) -> None:
    for number in range(2):
        saved = await versions.save_draft(acme.tenant_id, NEW, DOCUMENT | {"name": str(number)}, revision=None)
        await versions.publish(acme.tenant_id, NEW, revision=saved.revision, by="ann", note="")
    await versions.point(acme.tenant_id, NEW, 1, by="bob")
    record = await versions.one(acme.tenant_id, NEW)
    assert record is not None
    assert (record.published, record.latest) == (1, 2)
    told = [(each.version, each.published_by) for each in await versions.publications(acme.tenant_id, NEW)]
    assert told == [(1, "bob"), (2, "ann"), (1, "ann")]
    with pytest.raises(NotFound):
        await versions.point(acme.tenant_id, NEW, 3, by="bob")


@pytest.mark.parametrize("revision", [0, 2, 7])
async def test_a_change_of_somebody_else_is_not_lost(versions: AgentVersions, acme: Tenant, revision: int) -> None:
    await versions.save_draft(acme.tenant_id, NEW, DOCUMENT, revision=0)
    with pytest.raises(Conflict):
        await versions.save_draft(acme.tenant_id, NEW, DOCUMENT | {"name": "Late"}, revision=revision)
    record = await versions.one(acme.tenant_id, NEW)
    assert record is not None
    assert record.name == "Desk"


async def test_an_agent_that_is_not_there_has_no_revision_to_change(versions: AgentVersions, acme: Tenant) -> None:
    with pytest.raises(Conflict):
        await versions.save_draft(acme.tenant_id, NEW, DOCUMENT, revision=3)
    assert await versions.one(acme.tenant_id, NEW) is None


async def test_of_two_at_once_one_wins(versions: AgentVersions, acme: Tenant) -> None:
    await versions.save_draft(acme.tenant_id, NEW, DOCUMENT, revision=0)
    outcomes = await asyncio.gather(
        *(versions.publish(acme.tenant_id, NEW, revision=1, by="ann", note="") for _ in range(4)),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if not isinstance(outcome, Conflict)] == [1]
    assert len(await versions.versions(acme.tenant_id, NEW)) == 1


async def test_what_is_not_drafted_is_not_published(versions: AgentVersions, acme: Tenant) -> None:
    with pytest.raises(Conflict):
        await versions.publish(acme.tenant_id, NEW, revision=0, by="ann", note="")
    await versions.save_draft(acme.tenant_id, NEW, DOCUMENT, revision=0)
    with pytest.raises(Conflict):
        await versions.publish(acme.tenant_id, NEW, revision=2, by="ann", note="")


async def test_tenants_are_apart(versions: AgentVersions, acme: Tenant, globex: Tenant) -> None:
    await versions.save_draft(acme.tenant_id, NEW, DOCUMENT, revision=0)
    await versions.publish(acme.tenant_id, NEW, revision=1, by="ann", note="")
    assert [record.agent_id for record in await versions.all(acme.tenant_id)] == ["desk", "first", "second"]
    assert [record.agent_id for record in await versions.all(globex.tenant_id)] == ["first", "second"]
    assert await versions.one(globex.tenant_id, NEW) is None
    assert await versions.version(globex.tenant_id, NEW, 1) is None
    assert not await versions.versions(globex.tenant_id, NEW)
    assert not await versions.publications(globex.tenant_id, NEW)
    with pytest.raises(NotFound):
        await versions.point(globex.tenant_id, NEW, 1, by="eve")
    with pytest.raises(Conflict):
        await versions.publish(globex.tenant_id, NEW, revision=1, by="eve", note="")


@pytest.mark.parametrize("agent_id", ["\0", "\ud83d"])
async def test_ids_that_cannot_be(versions: AgentVersions, acme: Tenant, agent_id: str) -> None:
    assert await versions.one(acme.tenant_id, agent_id) is None
    assert not await versions.versions(acme.tenant_id, agent_id)
    with pytest.raises(InvalidRequest):
        await versions.save_draft(acme.tenant_id, agent_id, DOCUMENT, revision=0)


@pytest.mark.parametrize("text", ["\0", "\ud83d"])
async def test_characters_that_cannot_be_kept(versions: AgentVersions, acme: Tenant, text: str) -> None:
    with pytest.raises(InvalidRequest):
        await versions.save_draft(acme.tenant_id, NEW, DOCUMENT | {"persona": text}, revision=0)
