"""The spend cap's API: an administrator reads and sets it for his own tenant; nobody else does."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from functions.api import spend_cap
from shared.ports.model_usage import ModelUsage
from tests.fakes.clock import FakeClock
from tests.fakes.model_usages import FakeModelUsages
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

TENANT_ID = "tenant-1"


@pytest.fixture(autouse=True)
async def usages(install: Installer) -> FakeModelUsages:
    clock, usages = FakeClock(), FakeModelUsages(TENANT_ID)
    await usages.add(TENANT_ID, clock.now().date(), [ModelUsage("openai", "chat", 2, 100, 10, 1_500_000)])
    install(spend_cap, model_usages=usages, clock=clock)
    return usages


async def ask(name: str, document: Any = None, token: str | None = "admin") -> func.HttpResponse:
    body = b"" if document is None else json.dumps(document).encode()
    response: func.HttpResponse = await user_function(getattr(spend_cap, name))(request(body=body, token=token))
    return response


async def test_a_cap_is_set_and_taken_away() -> None:
    before = document_of(await ask("get_spend_cap"))
    assert (before["daily_cents"], before["spent_cents"]) == (None, 1.5)
    assert before["models"] == [
        {"provider": "openai", "model": "chat", "answers": 2, "input_tokens": 100, "output_tokens": 10, "cents": 1.5}
    ]
    for cents in (500, 0, None):
        assert document_of(await ask("put_spend_cap", {"daily_cents": cents}))["daily_cents"] == cents
        assert document_of(await ask("get_spend_cap"))["daily_cents"] == cents


@pytest.mark.parametrize("document", [{}, {"daily_cents": -1}, {"daily_cents": "5"}, {"daily_cents": True}])
async def test_what_is_no_cap_is_refused(document: dict[str, Any], usages: FakeModelUsages) -> None:
    assert_problem(await ask("put_spend_cap", document), 400, "daily_cents")
    assert await usages.cap(TENANT_ID) is None


@pytest.mark.parametrize("name", ["get_spend_cap", "put_spend_cap"])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("operator", 403), ("caller", 403)])
async def test_nobody_else_may(name: str, token: str | None, status: int) -> None:
    assert (await ask(name, {"daily_cents": 5}, token)).status_code == status
