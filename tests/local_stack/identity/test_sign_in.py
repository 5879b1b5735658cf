"""The authorization code flow: the page, the code, the tokens, and everything that is refused on the way."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.local_stack.identity.conftest import B2C, CIAM, Rig

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PAGE = "http://localhost:7071/"


def _asked(**changes: str) -> dict[str, str]:
    asked = {
        "client_id": "voice-agent-talk",
        "redirect_uri": PAGE,
        "response_type": "code",
        "scope": "openid offline_access voice-agent-api/talk",
        "state": "my state",
        "nonce": "my nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (asked | changes).items() if value}


async def _code(rig: Rig, login: str = "olivia", authority: str = B2C, **changes: str) -> str:
    answer = await rig.http.post(
        f"{authority}/oauth2/v2.0/authorize", data=_asked(**changes) | {"login": login}, allow_redirects=False
    )
    assert answer.status == 302
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


async def _redeem(rig: Rig, issued: str, authority: str = B2C, **changes: str) -> tuple[int, dict[str, Any]]:
    form = {
        "grant_type": "authorization_code",
        "client_id": "voice-agent-talk",
        "code": issued,
        "redirect_uri": PAGE,
        "code_verifier": VERIFIER,
    }
    answer = await rig.http.post(f"{authority}/oauth2/v2.0/token", data=form | changes)
    return answer.status, await answer.json()


async def test_the_page_offers_every_person_and_keeps_the_request(rig: Rig) -> None:
    answer = await rig.http.get(f"{B2C}/oauth2/v2.0/authorize", params=_asked(state='"><script>'))
    page = await answer.text()
    assert answer.status == 200
    assert [login in page for login in ("olivia", "carl", "ada", "gita")] == [True] * 4
    assert "<script>" not in page
    assert answer.headers["X-Frame-Options"] == "DENY"


async def test_a_hint_puts_the_person_first(rig: Rig) -> None:
    answer = await rig.http.get(f"{B2C}/oauth2/v2.0/authorize", params=_asked(login_hint="gita@globex.example"))
    page = await answer.text()
    assert page.index('value="gita"') < page.index('value="olivia"')


async def test_b2c_tokens_have_the_claims_of_a_user_flow(rig: Rig) -> None:
    status, tokens = await _redeem(rig, await _code(rig, "ada"))
    assert status == 200
    access = await rig.decode(tokens["access_token"], B2C, "voice-agent-api")
    assert access["tfp"] == "b2c_1_signin"
    assert access["scp"] == "talk"
    assert access["azp"] == "voice-agent-talk"
    assert access["extension_Roles"] == "admin,operator"
    assert access["extension_TenantId"] == "00000000-0000-4000-8000-000000000001"
    assert access["emails"] == ["ada@acme.example"]
    assert access["iss"] == "http://localhost:7082/5f0c2f1e-0b2c-4000-8000-0000000000b2/v2.0/"


async def test_an_id_token_is_for_the_client_and_grants_nothing(rig: Rig) -> None:
    _, tokens = await _redeem(rig, await _code(rig))
    identity = await rig.decode(tokens["id_token"], B2C, "voice-agent-talk")
    assert identity["nonce"] == "my nonce"
    assert "scp" not in identity


async def test_external_id_tokens_have_roles_and_an_issuer_of_another_host(rig: Rig) -> None:
    status, tokens = await _redeem(rig, await _code(rig, "carl", CIAM), CIAM)
    assert status == 200
    access = await rig.decode(tokens["access_token"], CIAM, "voice-agent-api")
    tenant = "5f0c2f1e-0b2c-4000-8000-0000000000c1"
    assert access["iss"] == f"http://{tenant}.ciam.localhost:7082/{tenant}/v2.0"
    assert (access["tid"], access["roles"], access["ver"]) == (tenant, ["caller"], "2.0")
    assert access["tenant_id"] == "00000000-0000-4000-8000-000000000001"


async def test_without_a_scope_of_the_api_there_is_no_access_token(rig: Rig) -> None:
    _, tokens = await _redeem(rig, await _code(rig, scope="openid profile"))
    assert "access_token" not in tokens
    assert "id_token" in tokens


async def test_a_code_is_good_once(rig: Rig) -> None:
    code = await _code(rig)
    assert (await _redeem(rig, code))[0] == 200
    status, answer = await _redeem(rig, code)
    assert (status, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "another-verifier"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:7071/"}, "invalid_grant"),
        ({"client_id": "voice-agent-scripts"}, "invalid_grant"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_code_of_somebody_else_is_worth_nothing(rig: Rig, changes: dict[str, str], error: str) -> None:
    _, answer = await _redeem(rig, await _code(rig), **changes)
    assert answer["error"] == error


async def test_a_code_of_one_authority_is_worth_nothing_at_another(rig: Rig) -> None:
    _, answer = await _redeem(rig, await _code(rig), CIAM)
    assert answer["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://localhost:7071"},
        {"redirect_uri": "http://localhost:7071/?next=evil"},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "nobody"},
    ],
)
async def test_nothing_is_sent_to_an_address_that_is_not_registered(rig: Rig, changes: dict[str, str]) -> None:
    for send in (rig.http.get, rig.http.post):
        kind = "params" if send == rig.http.get else "data"
        options: Any = {kind: _asked(**changes) | {"login": "olivia"}}
        answer = await send(f"{B2C}/oauth2/v2.0/authorize", allow_redirects=False, **options)
        assert answer.status == 400
        assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "voice-agent-api/talk"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"response_mode": "form_post"}, "invalid_request"),
    ],
)
async def test_other_mistakes_go_back_to_the_application(rig: Rig, changes: dict[str, str], error: str) -> None:
    answer = await rig.http.get(f"{B2C}/oauth2/v2.0/authorize", params=_asked(**changes), allow_redirects=False)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (back["error"], back["state"]) == ([error], ["my state"])


async def test_a_person_that_does_not_exist_is_denied(rig: Rig) -> None:
    answer = await rig.http.post(
        f"{B2C}/oauth2/v2.0/authorize", data=_asked() | {"login": "mallory"}, allow_redirects=False
    )
    assert "error=access_denied" in answer.headers["Location"]


async def test_the_code_comes_in_the_fragment_where_that_is_asked_for(rig: Rig) -> None:
    answer = await rig.http.post(
        f"{B2C}/oauth2/v2.0/authorize",
        data=_asked(response_mode="fragment") | {"login": "olivia"},
        allow_redirects=False,
    )
    parts = urlsplit(answer.headers["Location"])
    assert "code" in parse_qs(parts.fragment)
    assert not parts.query


async def test_a_refresh_token_gives_new_tokens_to_its_client_only(rig: Rig) -> None:
    _, tokens = await _redeem(rig, await _code(rig))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answer = await rig.http.post(f"{B2C}/oauth2/v2.0/token", data=form | {"client_id": "voice-agent-talk"})
    assert (await rig.decode((await answer.json())["access_token"], B2C, "voice-agent-api"))["scp"] == "talk"
    other = await rig.http.post(f"{B2C}/oauth2/v2.0/token", data=form | {"client_id": "voice-agent-scripts"})
    assert (await other.json())["error"] == "invalid_grant"
    forged = form | {"refresh_token": tokens["access_token"], "client_id": "voice-agent-talk"}
    refused = await rig.http.post(f"{B2C}/oauth2/v2.0/token", data=forged)
    assert (await refused.json())["error"] == "invalid_grant"


async def test_only_pages_of_registered_clients_may_read_tokens(rig: Rig) -> None:
    for origin, allowed in (("http://localhost:7071", True), ("https://evil.example", False)):
        answer = await rig.http.post(f"{B2C}/oauth2/v2.0/token", data={}, headers={"Origin": origin})
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        preflight = await rig.http.options(f"{B2C}/oauth2/v2.0/token", headers=headers)
        assert (preflight.status == 204) is allowed


async def test_userinfo_wants_an_access_token_of_ours(rig: Rig) -> None:
    _, tokens = await _redeem(rig, await _code(rig))
    for token, status in ((tokens["access_token"], 200), (tokens["id_token"], 401), ("nonsense", 401)):
        answer = await rig.http.get(f"{B2C}/openid/v2.0/userinfo", headers={"Authorization": f"Bearer {token}"})
        assert answer.status == status


async def test_signing_out_returns_to_registered_addresses_only(rig: Rig) -> None:
    for address, status in ((PAGE, 302), ("https://evil.example/", 400)):
        answer = await rig.http.get(
            f"{B2C}/oauth2/v2.0/logout",
            params={"post_logout_redirect_uri": address},
            allow_redirects=False,
        )
        assert answer.status == status
