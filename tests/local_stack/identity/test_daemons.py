"""Tokens of applications: a managed identity, a daemon, and who gets none."""

from __future__ import annotations

import base64

import pytest

from tests.local_stack.identity.conftest import B2C, ENTRA, SECRET, Rig

FORM = {
    "grant_type": "client_credentials",
    "client_id": "local-web-pubsub",
    "client_secret": SECRET,
    "scope": "voice-agent-api/.default",
}


async def test_the_managed_identity_gets_a_token_without_scp_and_roles(rig: Rig) -> None:
    answer = await rig.http.post(f"{ENTRA}/oauth2/v2.0/token", data=FORM)
    claims = await rig.decode((await answer.json())["access_token"], ENTRA, "voice-agent-api")
    assert claims["azp"] == "local-web-pubsub"
    assert claims["oid"] == claims["sub"]
    assert not {"scp", "roles", "tenant_id"} & claims.keys()
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_daemon_has_roles_and_a_customer_but_no_scp(rig: Rig) -> None:
    form = FORM | {"client_id": "voice-agent-daemon"}
    answer = await rig.http.post(f"{B2C}/oauth2/v2.0/token", data=form)
    claims = await rig.decode((await answer.json())["access_token"], B2C, "voice-agent-api")
    assert claims["roles"] == ["operator"]
    assert claims["extension_TenantId"] == "00000000-0000-4000-8000-000000000001"
    assert "scp" not in claims


async def test_the_secret_may_come_as_basic_authentication(rig: Rig) -> None:
    basic = base64.b64encode(f"local-web-pubsub:{SECRET}".encode()).decode()
    form = {name: FORM[name] for name in ("grant_type", "scope")}
    answer = await rig.http.post(f"{ENTRA}/oauth2/v2.0/token", data=form, headers={"Authorization": f"Basic {basic}"})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("changes", "error", "status"),
    [
        ({"client_secret": "wrong"}, "invalid_client", 401),
        ({"client_secret": ""}, "invalid_client", 401),
        ({"client_id": "nobody"}, "invalid_client", 401),
        ({"client_id": "voice-agent-talk"}, "unauthorized_client", 401),
        ({"scope": "voice-agent-api/talk"}, "invalid_scope", 400),
    ],
)
async def test_others_get_none(rig: Rig, changes: dict[str, str], error: str, status: int) -> None:
    answer = await rig.http.post(f"{ENTRA}/oauth2/v2.0/token", data=FORM | changes)
    assert (answer.status, (await answer.json())["error"]) == (status, error)


async def test_an_unknown_authority_is_not_there(rig: Rig) -> None:
    answer = await rig.http.get("/b2c/voice.onmicrosoft.com/b2c_1_other/v2.0/.well-known/openid-configuration")
    assert answer.status == 404
