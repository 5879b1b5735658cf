"""How the issuer's keys come, change, go and are missed; and the bearer that comes with every frame."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from shared.adapters.oidc.metadata import Freshness
from shared.adapters.oidc.profile import b2c_profile, upstream_profile
from shared.adapters.oidc.token_validator import OidcTokenValidator
from shared.domain.errors import StoreError, Unauthenticated
from tests.contracts.issuer import AUDIENCE, Issuer, running_issuer
from tests.services import free_port

_DEADLINE_S = 5.0


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as issuer:
        yield issuer


def _users(issuer: Issuer, freshness: Freshness | None = None) -> OidcTokenValidator:
    return OidcTokenValidator(b2c_profile([issuer.metadata_url], AUDIENCE), freshness=freshness)


def _upstream(issuer: Issuer, freshness: Freshness | None = None, cache_entries: int = 4) -> OidcTokenValidator:
    profile = upstream_profile(issuer.issuer, AUDIENCE, "web-pubsub", metadata_url=issuer.plain_metadata_url)
    return OidcTokenValidator(profile, cache_entries=cache_entries, freshness=freshness)


def _upstream_token(issuer: Issuer, **changes: object) -> str:
    claims = {"azp": "web-pubsub", "sub": "identity-1", **changes}
    return issuer.token(without=("scp", "tfp", "extension_Roles", "extension_TenantId"), **claims)


async def _until(issuer: Issuer, key_questions: int) -> None:
    async with asyncio.timeout(_DEADLINE_S):
        while issuer.key_questions() < key_questions:
            await asyncio.sleep(0.005)


async def test_keys_are_asked_for_once(issuer: Issuer) -> None:
    validator = _users(issuer)
    await asyncio.gather(*(validator.validate(issuer.token(sub=f"person-{i}")) for i in range(10)))
    assert issuer.key_questions() == 1


async def test_a_new_key_is_found_at_once_and_an_old_one_is_forgotten(issuer: Issuer) -> None:
    validator = _users(issuer)
    old = issuer.token()
    await validator.validate(old)
    issuer.key_names = ["key-b"]
    await validator.validate(issuer.token())
    assert issuer.key_questions() == 2
    with pytest.raises(Unauthenticated, match="token_key"):
        await validator.validate(old)


async def test_unknown_keys_do_not_make_us_ask_again_and_again(issuer: Issuer) -> None:
    validator = _users(issuer)
    for i in range(20):
        with pytest.raises(Unauthenticated, match="token_key"):
            await validator.validate(issuer.token(key="key-z", header={"kid": f"unknown-{i}"}))
    assert issuer.key_questions() == 2


async def test_after_a_while_an_unknown_key_is_asked_for_again(issuer: Issuer) -> None:
    validator = _users(issuer, Freshness(unknown_key_s=0.0))
    for _ in range(3):
        with pytest.raises(Unauthenticated, match="token_key"):
            await validator.validate(issuer.token(key="key-z"))
    assert issuer.key_questions() == 4


async def test_an_issuer_that_is_down_when_a_new_key_comes_is_asked_again_soon(issuer: Issuer) -> None:
    validator = _users(issuer, Freshness(pause_s=0.0))
    await validator.validate(issuer.token())
    issuer.key_names = ["key-b"]
    issuer.status = 503
    with pytest.raises(StoreError) as unavailable:
        await validator.validate(issuer.token())
    assert unavailable.value.retryable
    issuer.status = 200
    await validator.validate(issuer.token())


async def test_an_issuer_that_failed_is_left_alone_for_a_moment(issuer: Issuer) -> None:
    validator = _users(issuer, Freshness(pause_s=60.0))
    issuer.status = 503
    for _ in range(5):
        with pytest.raises(StoreError):
            await validator.validate(issuer.token())
    assert len(issuer.questions) == 1


async def test_keys_are_refreshed_behind_the_callers_back(issuer: Issuer) -> None:
    validator = _users(issuer, Freshness(refresh_s=0.0))
    await validator.validate(issuer.token())
    issuer.open.clear()
    await validator.validate(issuer.token())  # does not wait for the refresh that it begins
    issuer.open.set()
    await _until(issuer, 2)
    await validator.aclose()


async def test_what_the_issuer_said_last_stands_while_it_is_down(issuer: Issuer) -> None:
    validator = _users(issuer, Freshness(refresh_s=0.0, pause_s=0.0))
    await validator.validate(issuer.token())
    issuer.status = 503
    asked = len(issuer.questions)
    for _ in range(5):
        await validator.validate(issuer.token())
        await asyncio.sleep(0.01)
    assert len(issuer.questions) > asked
    await validator.aclose()


async def test_but_not_for_ever(issuer: Issuer) -> None:
    validator = _users(issuer, Freshness(refresh_s=0.0, discard_s=0.05, pause_s=0.0))
    await validator.validate(issuer.token())
    issuer.status = 503
    await asyncio.sleep(0.06)
    with pytest.raises(StoreError):
        await validator.validate(issuer.token())
    await validator.aclose()


async def test_the_managed_identity_is_accepted(issuer: Issuer) -> None:
    for named in ({}, {"azp": None, "appid": "web-pubsub"}):
        token = _upstream_token(issuer, **{k: v for k, v in named.items() if v is not None})
        principal = await _upstream(issuer).validate(token)
        assert (principal.subject, principal.is_daemon) == ("identity-1", True)
        assert (principal.tenant_id, principal.roles) == ("", frozenset())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"azp": "another-identity"}, "token_client"),
        ({"azp": ["web-pubsub"]}, "token_client"),
        ({"aud": "another-api"}, "token_audience"),
        ({"iss": "https://sts.windows.net/other/"}, "token_issuer"),
        ({"exp": 1}, "token_expired"),
    ],
)
async def test_other_services_are_not(issuer: Issuer, changes: dict[str, object], code: str) -> None:
    validator = _upstream(issuer)
    for _ in range(2):  # a refusal is not remembered as anything else
        with pytest.raises(Unauthenticated, match=code):
            await validator.validate(_upstream_token(issuer, **changes))


async def test_a_person_is_no_upstream(issuer: Issuer) -> None:
    with pytest.raises(Unauthenticated, match="token_kind"):
        await _upstream(issuer).validate(issuer.token(azp="web-pubsub"))


async def test_an_issuer_of_another_name_is_a_fault_of_the_settings(issuer: Issuer) -> None:
    profile = upstream_profile(
        "https://other.example/", AUDIENCE, "web-pubsub", metadata_url=issuer.plain_metadata_url
    )
    with pytest.raises(StoreError, match="issuer_mismatch") as mismatch:
        await OidcTokenValidator(profile).ping()
    assert not mismatch.value.retryable


async def test_the_same_bearer_again_is_a_look_up(issuer: Issuer) -> None:
    validator, token = _upstream(issuer), _upstream_token(issuer)
    first = await validator.validate(token)
    began = time.perf_counter()
    for _ in range(1000):
        assert await validator.validate(token) is first
    assert (time.perf_counter() - began) / 1000 < 0.000_5


async def test_a_remembered_bearer_expires(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    validator, token = _upstream(issuer), _upstream_token(issuer)
    await validator.validate(token)
    monkeypatch.setattr("shared.adapters.oidc.token_validator.time", lambda: time.time() + 3661)
    # The clock of the signature check is the real one, so the token is looked at again and is still good:
    # what counts is that the answer is not the remembered one.
    remembered = validator._accepted.copy()
    await validator.validate(token)
    assert next(iter(validator._accepted.values())) is not next(iter(remembered.values()))


async def test_a_remembered_bearer_dies_with_its_key(issuer: Issuer) -> None:
    validator = _upstream(issuer, Freshness(refresh_s=0.0))
    token = _upstream_token(issuer)
    await validator.validate(token)
    issuer.key_names = ["key-b"]
    with pytest.raises(Unauthenticated, match="token_key"):
        async with asyncio.timeout(_DEADLINE_S):
            while True:
                await validator.validate(token)
                await asyncio.sleep(0.005)
    await validator.aclose()


async def test_the_memory_is_bounded(issuer: Issuer) -> None:
    validator = _upstream(issuer, cache_entries=4)
    for i in range(20):
        await validator.validate(_upstream_token(issuer, sub=f"identity-{i}"))
    assert len(validator._accepted) == 4


async def test_by_default_nothing_is_remembered(issuer: Issuer) -> None:
    validator = _users(issuer)
    await validator.validate(issuer.token())
    assert not validator._accepted


def test_a_validator_serves_several_event_loops() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/t/b2c_1_signin/v2.0/.well-known/openid-configuration"
    asks_always = Freshness(discard_s=0.0, unknown_key_s=0.0)
    validator = OidcTokenValidator(b2c_profile([url], AUDIENCE), freshness=asks_always)

    async def one_loops_life() -> int:
        async with running_issuer(port) as issuer:
            await validator.validate(issuer.token())
            return issuer.key_questions()

    assert asyncio.run(one_loops_life()) > 0
    assert asyncio.run(one_loops_life()) > 0
