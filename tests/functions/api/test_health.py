"""Alive is not ready."""

from __future__ import annotations

import pytest

from functions.api import health
from shared.domain.errors import InvalidRequest
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function


async def test_alive_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise AssertionError("no service is needed to be alive")

    monkeypatch.setattr(health, "services", broken)
    response = await user_function(health.health_live)(request())
    assert (response.status_code, document_of(response)) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("parts", "status", "said"),
    [
        ({"database": "ok", "redis": "ok"}, 200, "ok"),
        ({"database": "ok", "redis": "redis_unavailable"}, 503, "unavailable"),
        ({"database": "no_answer", "redis": "ok"}, 503, "unavailable"),
    ],
)
async def test_ready_when_every_part_is(install: Installer, parts: dict[str, str], status: int, said: str) -> None:
    async def check() -> dict[str, str]:
        return parts

    install(health, check_health=check)
    response = await user_function(health.health_ready)(request())
    assert response.status_code == status
    assert document_of(response) == {"status": said, "parts": parts}
    assert response.headers["Cache-Control"] == "no-store"


async def test_wrong_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise InvalidRequest("settings", "REDIS_URL is missing")

    monkeypatch.setattr(health, "services", refuse)
    assert_problem(await user_function(health.health_ready)(request()), 500, "settings")
