"""The numbers API: only a tenant's administrators, and only the tenant's own numbers."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.api import numbers
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Number
from tests.fakes.outbound import FakeNumbers
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

NUMBER = "+15550100011"
DOCUMENT = {"number": NUMBER, "provider": "vonage", "line": "vonage-input", "agent_id": "nora"}


@pytest.fixture
def store(install: Installer) -> FakeNumbers:
    store = FakeNumbers()
    install(numbers, calling=SimpleNamespace(numbers=store))
    return store


async def ask(
    name: str, document: Any = None, *, token: str | None = "admin", provider: str = "vonage", number: str = NUMBER
) -> func.HttpResponse:
    body = b"" if document is None else json.dumps(document).encode()
    asked = request(route={"provider": provider, "number": number}, body=body, token=token)
    response: func.HttpResponse = await user_function(getattr(numbers, name))(asked)
    return response


async def test_a_number_is_put_seen_changed_and_taken_away(store: FakeNumbers) -> None:
    put = await ask("put_number", {"agent_id": "nora", "line": "vonage-input"})
    assert (put.status_code, document_of(put)) == (201, DOCUMENT)
    assert put.headers["Cache-Control"] == "no-store"
    assert document_of(await ask("get_number")) == DOCUMENT
    assert document_of(await ask("list_numbers")) == {"numbers": [DOCUMENT]}
    changed = await ask("put_number", {"agent_id": "hugo"})
    assert (changed.status_code, document_of(changed)["line"]) == (200, "vonage"), "the provider's first line"
    assert (await ask("delete_number")).status_code == 204
    assert_problem(await ask("delete_number"), 404, "number_unknown")
    assert_problem(await ask("get_number"), 404, "number_unknown")


@pytest.mark.parametrize("name", ["list_numbers", "get_number", "put_number", "delete_number"])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("caller", 403), ("operator", 403)])
async def test_who_may_not(store: FakeNumbers, name: str, token: str | None, status: int) -> None:
    assert (await ask(name, {"agent_id": "nora"}, token=token)).status_code == status
    assert await store.all("tenant-1") == []


async def test_another_tenants_number_cannot_be_seen_taken_or_deleted(store: FakeNumbers) -> None:
    theirs = Number(NUMBER, Line.VONAGE, "hugo")
    await store.put("tenant-2", theirs)
    assert document_of(await ask("list_numbers")) == {"numbers": []}
    assert_problem(await ask("get_number"), 404, "number_unknown")
    refused = await ask("put_number", {"agent_id": "nora"})
    assert_problem(refused, 403, "number_not_allotted")
    store.tenants = 2
    of_nobody = await ask("put_number", {"agent_id": "nora"}, number="+15550100099")
    assert document_of(of_nobody) == document_of(refused), "who asks does not learn whether somebody has it"
    assert "api/number-allotments" in document_of(refused)["detail"]
    assert_problem(await ask("delete_number"), 404, "number_unknown")
    assert await store.one("tenant-2", Provider.VONAGE, NUMBER) == theirs


@pytest.mark.parametrize(
    ("document", "where", "code"),
    [
        ({}, {}, "agent_id"),
        ({"agent_id": 7}, {}, "agent_id"),
        ({"agent_id": "nora", "line": "twilio"}, {}, "line"),
        ({"agent_id": "nora", "line": "morse"}, {}, "line"),
        ({"agent_id": "nora", "lines": "vonage"}, {}, "unknown_field"),
        ({"agent_id": "nora"}, {"provider": "morse"}, "provider"),
        ({"agent_id": "nora"}, {"provider": "web"}, "line"),
        ({"agent_id": "nora"}, {"number": "15550100011"}, "number_malformed"),
    ],
)
async def test_what_makes_no_sense(store: FakeNumbers, document: Any, where: dict[str, str], code: str) -> None:
    assert_problem(await ask("put_number", document, **where), 400, code)
    assert await store.all("tenant-1") == []
