"""What every `Numbers` does: a number is one tenant's, at one provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.adapters.postgres.directory import PostgresDirectory
from shared.adapters.postgres.numbers import PostgresNumbers
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.errors import Conflict, InvalidRequest, NotFound
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Number
from shared.ports.numbers import Numbers
from tests.contracts.conftest import Tenant
from tests.fakes.outbound import FakeNumbers


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[PostgresPool]:
    pool = PostgresPool(postgres_dsn)
    yield pool
    await pool.aclose()


@pytest.fixture(params=["postgres", "fake"])
def numbers(request: pytest.FixtureRequest, pool: PostgresPool, acme: Tenant) -> Numbers:
    return FakeNumbers() if request.param == "fake" else PostgresNumbers(pool)


def fresh() -> str:
    return f"+1666{uuid4().int % 10**10:010d}"


async def test_a_number_is_put_changed_and_taken_away(numbers: Numbers, acme: Tenant) -> None:
    first = Number(fresh(), Line.VONAGE, "first")
    changed = Number(first.number, Line.VONAGE_INPUT, "second")
    assert await numbers.put(acme.tenant_id, first)
    assert not await numbers.put(acme.tenant_id, changed)
    assert await numbers.one(acme.tenant_id, Provider.VONAGE, first.number) == changed
    assert changed in await numbers.all(acme.tenant_id)
    assert await numbers.delete(acme.tenant_id, Provider.VONAGE, first.number)
    assert not await numbers.delete(acme.tenant_id, Provider.VONAGE, first.number)
    assert await numbers.one(acme.tenant_id, Provider.VONAGE, first.number) is None


async def test_at_each_provider_it_is_a_number_of_its_own(numbers: Numbers, acme: Tenant, globex: Tenant) -> None:
    number = fresh()
    assert await numbers.put(acme.tenant_id, Number(number, Line.VONAGE, "first"))
    assert await numbers.put(acme.tenant_id, Number(number, Line.CONNECT_LEX, "second"))
    assert await numbers.put(globex.tenant_id, Number(number, Line.SARVAM, "first"))
    ours = [one for one in await numbers.all(acme.tenant_id) if one.number == number]
    assert [one.line for one in ours] == [Line.CONNECT_LEX, Line.VONAGE]


async def test_a_tenant_never_sees_changes_or_takes_another_ones(
    numbers: Numbers, acme: Tenant, globex: Tenant
) -> None:
    theirs = Number(fresh(), Line.VONAGE, "first")
    await numbers.put(globex.tenant_id, theirs)
    with pytest.raises(Conflict, match="number_taken"):
        await numbers.put(acme.tenant_id, theirs)
    assert await numbers.one(acme.tenant_id, Provider.VONAGE, theirs.number) is None
    assert theirs not in await numbers.all(acme.tenant_id)
    assert not await numbers.delete(acme.tenant_id, Provider.VONAGE, theirs.number)
    assert await numbers.one(globex.tenant_id, Provider.VONAGE, theirs.number) == theirs


async def test_the_agent_must_be_the_tenants(pool: PostgresPool, acme: Tenant) -> None:
    for agent_id in ("unknown", "\0"):
        with pytest.raises(NotFound, match="agent_unknown"):
            await PostgresNumbers(pool).put(acme.tenant_id, Number(fresh(), Line.VONAGE, agent_id))


async def test_calls_go_where_the_number_says(pool: PostgresPool, acme: Tenant) -> None:
    number = fresh()
    await PostgresNumbers(pool).put(acme.tenant_id, Number(number, Line.TWILIO_GATHER, "second"))
    route = await PostgresDirectory(pool, PydanticAgentDocuments().read).route(Provider.TWILIO, number)
    assert route is not None
    assert (route.agent.agent_id, route.agent.tenant_id, route.line) == (
        "second", acme.tenant_id, Line.TWILIO_GATHER,
    )  # fmt: skip
    assert await PostgresDirectory(pool, PydanticAgentDocuments().read).route(Provider.VONAGE, number) is None


@pytest.mark.parametrize(
    ("number", "line"),
    [("15550100001", Line.TWILIO), ("+1", Line.TWILIO), ("+15550100001", Line.WEB), ("", Line.TWILIO)],
)
def test_a_number_that_cannot_be(number: str, line: Line) -> None:
    with pytest.raises(InvalidRequest):
        Number(number, line, "first")
