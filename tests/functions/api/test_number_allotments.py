"""Whose a number is: said by whoever runs the installation, and by no tenant's administrator."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.api import number_allotments
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.routes import Allotment
from tests.fakes.outbound import FakeNumberAllotments
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

NUMBER = "+15550100011"
DOCUMENT = {"number": NUMBER, "provider": "vonage", "tenant_id": "acme"}


@pytest.fixture
def store(install: Installer) -> FakeNumberAllotments:
    store = FakeNumberAllotments()
    install(number_allotments, calling=SimpleNamespace(number_allotments=store))
    return store


async def ask(
    name: str, document: Any = None, *, token: str | None = "platform", provider: str = "vonage", number: str = NUMBER
) -> func.HttpResponse:
    body = b"" if document is None else json.dumps(document).encode()
    asked = request(route={"provider": provider, "number": number}, body=body, token=token)
    response: func.HttpResponse = await user_function(getattr(number_allotments, name))(asked)
    return response


async def test_a_number_is_allotted_seen_moved_and_taken_back(store: FakeNumberAllotments) -> None:
    put = await ask("put_number_allotment", {"tenant_id": "acme"})
    assert (put.status_code, document_of(put)) == (201, DOCUMENT)
    assert put.headers["Cache-Control"] == "no-store"
    assert document_of(await ask("list_number_allotments")) == {"allotments": [DOCUMENT]}
    assert (await ask("put_number_allotment", {"tenant_id": "globex"})).status_code == 200
    assert await store.all() == [Allotment(Provider.VONAGE, NUMBER, "globex")]
    assert (await ask("delete_number_allotment")).status_code == 204
    assert_problem(await ask("delete_number_allotment"), 404, "number_unknown")


@pytest.mark.parametrize("name", ["list_number_allotments", "put_number_allotment", "delete_number_allotment"])
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "token_missing"),
        ("caller", 403, "role_missing"),
        ("operator", 403, "role_missing"),
        ("admin", 403, "role_missing"),
        ("nobody", 403, "role_missing"),
    ],
)
async def test_who_may_not(store: FakeNumberAllotments, name: str, token: str | None, status: int, code: str) -> None:
    assert_problem(await ask(name, {"tenant_id": "acme"}, token=token), status, code)
    assert await store.all() == []


@pytest.mark.parametrize(
    ("document", "where", "code"),
    [
        ({}, {}, "tenant_id"),
        ({"tenant_id": 7}, {}, "tenant_id"),
        ({"tenant_id": "acme", "agent_id": "nora"}, {}, "unknown_field"),
        ({"tenant_id": "acme"}, {"provider": "morse"}, "provider"),
        ({"tenant_id": "acme"}, {"provider": "web"}, "provider"),
        ({"tenant_id": "acme"}, {"number": "15550100011"}, "number_malformed"),
    ],
)
async def test_what_makes_no_sense(
    store: FakeNumberAllotments, document: Any, where: dict[str, str], code: str
) -> None:
    assert_problem(await ask("put_number_allotment", document, **where), 400, code)
    assert await store.all() == []
