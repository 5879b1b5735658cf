"""What every `Numbers` does: a number is one tenant's, at one provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from shared.adapters.postgres.directory import PostgresDirectory
from shared.adapters.postgres.number_allotments import PostgresNumberAllotments
from shared.adapters.postgres.numbers import PostgresNumbers
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.errors import Forbidden, InvalidRequest, NotFound
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Allotment, Number
from shared.ports.number_allotments import NumberAllotments
from shared.ports.numbers import Numbers
from tests.contracts.conftest import Tenant, add_tenant
from tests.fakes.outbound import FakeNumberAllotments, FakeNumbers
from tests.services import migrate, running_postgres


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[PostgresPool]:
    pool = PostgresPool(postgres_dsn)
    yield pool
    await pool.aclose()


@dataclass(frozen=True)
class Book:
    numbers: Numbers
    allotments: NumberAllotments

    async def allot(self, tenant: Tenant, *numbers: Number) -> None:
        for number in numbers:
            await self.allotments.put(Allotment(number.line.provider, number.number, tenant.tenant_id))


class SharedAllotments(FakeNumberAllotments):
    """Who takes a number from a tenant takes it from its numbers too."""

    def __init__(self, numbers: FakeNumbers) -> None:
        super().__init__()
        self._numbers = numbers

    async def put(self, allotment: Allotment) -> bool:
        await self._take_away(allotment.provider, allotment.number, unless=allotment.tenant_id)
        self._numbers.allotted[allotment.provider, allotment.number] = allotment.tenant_id
        return await super().put(allotment)

    async def delete(self, provider: Provider, number: str) -> bool:
        await self._take_away(provider, number)
        return await super().delete(provider, number)

    async def _take_away(self, provider: Provider, number: str, unless: str = "") -> None:
        owner = self._numbers.allotted.pop((provider, number), "")
        if owner != unless:
            await self._numbers.delete(owner, provider, number)


@pytest.fixture(params=["postgres", "fake"])
def book(request: pytest.FixtureRequest, pool: PostgresPool, acme: Tenant, globex: Tenant) -> Book:
    """Of an installation with several tenants."""
    if request.param == "postgres":
        return Book(PostgresNumbers(pool), PostgresNumberAllotments(pool))
    numbers = FakeNumbers()
    numbers.tenants = 2
    return Book(numbers, SharedAllotments(numbers))


def fresh() -> str:
    return f"+1666{uuid4().int % 10**10:010d}"


async def test_a_number_is_put_changed_and_taken_away(book: Book, acme: Tenant) -> None:
    first, numbers = Number(fresh(), Line.VONAGE, "first"), book.numbers
    changed = Number(first.number, Line.VONAGE_INPUT, "second")
    await book.allot(acme, first)
    assert await numbers.put(acme.tenant_id, first)
    assert not await numbers.put(acme.tenant_id, changed)
    assert await numbers.one(acme.tenant_id, Provider.VONAGE, first.number) == changed
    assert changed in await numbers.all(acme.tenant_id)
    assert await numbers.delete(acme.tenant_id, Provider.VONAGE, first.number)
    assert not await numbers.delete(acme.tenant_id, Provider.VONAGE, first.number)
    assert await numbers.one(acme.tenant_id, Provider.VONAGE, first.number) is None
    assert await numbers.put(acme.tenant_id, first), "it is still the tenant's"


async def test_at_each_provider_it_is_a_number_of_its_own(book: Book, acme: Tenant, globex: Tenant) -> None:
    number = fresh()
    ours = [Number(number, Line.CONNECT_LEX, "second"), Number(number, Line.VONAGE, "first")]
    theirs = Number(number, Line.SARVAM, "first")
    await book.allot(acme, *ours)
    await book.allot(globex, theirs)
    assert await book.numbers.put(globex.tenant_id, theirs)
    for one in ours:
        assert await book.numbers.put(acme.tenant_id, one)
    assert [one for one in await book.numbers.all(acme.tenant_id) if one.number == number] == ours


async def test_a_tenant_never_sees_changes_or_takes_another_ones(book: Book, acme: Tenant, globex: Tenant) -> None:
    theirs, numbers = Number(fresh(), Line.VONAGE, "first"), book.numbers
    await book.allot(globex, theirs)
    for _ in range(2):  # before somebody answers on it, and then
        with pytest.raises(Forbidden, match="number_not_allotted"):
            await numbers.put(acme.tenant_id, theirs)
        await numbers.put(globex.tenant_id, theirs)
    assert await numbers.one(acme.tenant_id, Provider.VONAGE, theirs.number) is None
    assert theirs not in await numbers.all(acme.tenant_id)
    assert not await numbers.delete(acme.tenant_id, Provider.VONAGE, theirs.number)
    assert await numbers.one(globex.tenant_id, Provider.VONAGE, theirs.number) == theirs


async def test_a_number_that_is_nobodys_is_not_for_the_taking(book: Book, acme: Tenant) -> None:
    number = Number(fresh(), Line.VONAGE, "first")
    with pytest.raises(Forbidden, match="number_not_allotted"):
        await book.numbers.put(acme.tenant_id, number)
    await book.allot(acme, replace(number, line=Line.TWILIO))
    with pytest.raises(Forbidden, match="number_not_allotted"):
        await book.numbers.put(acme.tenant_id, number)
    assert await book.numbers.one(acme.tenant_id, Provider.VONAGE, number.number) is None


async def test_a_number_goes_to_another_tenant(book: Book, acme: Tenant, globex: Tenant) -> None:
    number = Number(fresh(), Line.VONAGE, "first")
    allotment = Allotment(Provider.VONAGE, number.number, acme.tenant_id)
    assert await book.allotments.put(allotment)
    await book.numbers.put(acme.tenant_id, number)
    assert not await book.allotments.put(allotment)
    assert await book.numbers.one(acme.tenant_id, Provider.VONAGE, number.number) == number, "all is as it was"
    assert not await book.allotments.put(replace(allotment, tenant_id=globex.tenant_id))
    assert await book.numbers.one(acme.tenant_id, Provider.VONAGE, number.number) is None
    with pytest.raises(Forbidden, match="number_not_allotted"):
        await book.numbers.put(acme.tenant_id, number)
    assert await book.numbers.put(globex.tenant_id, number)
    assert replace(allotment, tenant_id=globex.tenant_id) in await book.allotments.all()
    assert await book.allotments.delete(Provider.VONAGE, number.number)
    assert not await book.allotments.delete(Provider.VONAGE, number.number)
    assert await book.numbers.one(globex.tenant_id, Provider.VONAGE, number.number) is None


async def test_a_number_is_allotted_to_a_tenant_that_there_is(pool: PostgresPool) -> None:
    for tenant_id in ("unknown", "\0"):
        with pytest.raises(NotFound, match="tenant_unknown"):
            await PostgresNumberAllotments(pool).put(Allotment(Provider.VONAGE, fresh(), tenant_id))


async def test_an_only_tenant_has_all_numbers_and_keeps_them() -> None:
    """A database of its own, since others run their tests with many tenants in the common one."""
    with TemporaryDirectory() as folder, running_postgres(Path(folder) / "state") as dsn:
        assert migrate(dsn, "upgrade").returncode == 0
        only = add_tenant(dsn)
        pool = PostgresPool(dsn)
        numbers, kept = PostgresNumbers(pool), Number(fresh(), Line.VONAGE, "first")
        assert await numbers.put(only.tenant_id, kept)
        assert not await numbers.put(only.tenant_id, replace(kept, agent_id="second"))
        another = add_tenant(dsn)
        with pytest.raises(Forbidden, match="number_not_allotted"):
            await numbers.put(another.tenant_id, kept)
        with pytest.raises(Forbidden, match="number_not_allotted"):
            await numbers.put(only.tenant_id, Number(fresh(), Line.VONAGE, "first"))
        assert not await numbers.put(only.tenant_id, kept)
        await pool.aclose()


async def test_the_agent_must_be_the_tenants(pool: PostgresPool, acme: Tenant) -> None:
    number = Number(fresh(), Line.VONAGE, "unknown")
    await PostgresNumberAllotments(pool).put(Allotment(Provider.VONAGE, number.number, acme.tenant_id))
    for agent_id in ("unknown", "\0"):
        with pytest.raises(NotFound, match="agent_unknown"):
            await PostgresNumbers(pool).put(acme.tenant_id, replace(number, agent_id=agent_id))


async def test_calls_go_where_the_number_says(pool: PostgresPool, acme: Tenant) -> None:
    number = fresh()
    await PostgresNumberAllotments(pool).put(Allotment(Provider.TWILIO, number, acme.tenant_id))
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


@pytest.mark.parametrize(
    ("provider", "number"), [(Provider.WEB, "+15550100001"), (Provider.VONAGE, "15550100001"), (Provider.VONAGE, "")]
)
def test_a_number_that_cannot_be_allotted(provider: Provider, number: str) -> None:
    with pytest.raises(InvalidRequest):
        Allotment(provider, number, "acme")
