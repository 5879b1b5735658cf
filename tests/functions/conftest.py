"""Calls the app's functions as the worker does, with services that each test makes up."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from shared.domain.errors import Unauthenticated
from shared.domain.principal import Principal, Role

Installer = Callable[..., SimpleNamespace]
PRINCIPALS = {
    "operator": Principal("olivia", "tenant-1", frozenset({Role.OPERATOR})),
    "caller": Principal("carl", "tenant-1", frozenset({Role.CALLER})),
    "admin": Principal("ada", "tenant-1", frozenset({Role.ADMIN})),
    "platform": Principal("petra", "tenant-1", frozenset({Role.PLATFORM})),
    "nobody": Principal("noah", "tenant-1", frozenset()),
}


class FakeTokenValidator:
    """Fills the port `TokenValidator`: the token is the name of somebody."""

    async def validate(self, token: str) -> Principal:
        if token not in PRINCIPALS:
            raise Unauthenticated("token_malformed", "the token is malformed")
        return PRINCIPALS[token]

    async def ping(self) -> None:
        """Always ready."""


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Installer:
    """Puts services in place of those of the process, in the given modules."""

    def put(*modules: Any, **services: Any) -> SimpleNamespace:
        services.setdefault("token_validator", FakeTokenValidator())
        services.setdefault("warm_up", lambda: None)
        made = SimpleNamespace(**services)
        from functions import identity

        for module in (identity, *modules):
            monkeypatch.setattr(module, "services", lambda: made)
        return made

    return put


def request(
    method: str = "GET",
    url: str = "http://localhost/",
    *,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    route: dict[str, str] | None = None,
    body: bytes = b"",
    token: str | None = None,
) -> func.HttpRequest:
    authorization = {} if token is None else {"authorization": f"Bearer {token}"}
    return func.HttpRequest(
        method,
        url,
        headers={**authorization, **(headers or {})},
        params=params or {},
        route_params=route or {},
        body=body,
    )


def user_function(builder: Any) -> Any:
    """The plain function behind a decorated one."""
    function = builder._function.get_user_function()
    return getattr(function, "client_function", function)


def document_of(response: func.HttpResponse) -> Any:
    return json.loads(response.get_body())


def assert_problem(response: func.HttpResponse, status: int, code: str) -> None:
    """RFC 9457, all of it."""
    document = document_of(response)
    assert (response.status_code, document["code"]) == (status, code)
    assert response.mimetype == "application/problem+json"
    assert document["type"] == f"urn:voice-agent:problem:{code}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert response.headers["Cache-Control"] == "no-store"
