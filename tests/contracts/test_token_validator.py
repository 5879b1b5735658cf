"""What every `TokenValidator` accepts, and all that it does not."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from shared.adapters.oidc.profile import b2c_profile, external_id_profile
from shared.adapters.oidc.token_validator import OidcTokenValidator
from shared.domain.errors import InvalidRequest, StoreError, Unauthenticated
from shared.domain.principal import Principal, Role
from shared.ports.token_validator import TokenValidator
from tests.contracts.issuer import AUDIENCE, Issuer, private_key, running_issuer
from tests.services import free_port


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as issuer:
        yield issuer


@pytest.fixture(params=["oidc"])
def validator(request: pytest.FixtureRequest, issuer: Issuer) -> TokenValidator:
    return OidcTokenValidator(b2c_profile([issuer.metadata_url], AUDIENCE))


@pytest.fixture
def external(issuer: Issuer) -> TokenValidator:
    return OidcTokenValidator(external_id_profile(issuer.plain_metadata_url, AUDIENCE))


async def _code(validator: TokenValidator, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await validator.validate(token)
    assert token not in str(refused.value) or not token
    return refused.value.code


def _segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_persons_token_is_accepted(validator: TokenValidator, issuer: Issuer) -> None:
    expected = Principal("person-1", "acme", frozenset({Role.CALLER, Role.OPERATOR}), is_daemon=False)
    assert await validator.validate(issuer.token()) == expected
    old_name_of_policy = issuer.token(without=("tfp",), acr="b2c_1_SIGNIN")
    assert await validator.validate(old_name_of_policy) == expected


async def test_a_services_token_is_accepted(validator: TokenValidator, issuer: Issuer) -> None:
    expected = Principal("service-1", "acme", frozenset({Role.OPERATOR}), is_daemon=True)
    assert await validator.validate(issuer.daemon_token()) == expected


async def test_external_ids_tokens_are_accepted(external: TokenValidator, issuer: Issuer) -> None:
    issuer.issuer = "https://5f0c2f1e.ciamlogin.com/5f0c2f1e/v2.0"  # not the host of the metadata
    token = issuer.token(
        without=("tfp", "extension_Roles", "extension_TenantId"), tenant_id="globex", roles=["admin"]
    )
    assert await external.validate(token) == Principal("person-1", "globex", frozenset({Role.ADMIN}))


@pytest.mark.parametrize(
    ("claim", "roles"),
    [
        ("operator caller", {Role.OPERATOR, Role.CALLER}),
        (" Operator ,\tADMIN,,", {Role.OPERATOR, Role.ADMIN}),
        (["caller", 7, None, "root"], {Role.CALLER}),
        ("root", set()),
        ("", set()),
        ({"admin": True}, set()),
        (7, set()),
    ],
)
async def test_only_roles_that_we_know_count(
    validator: TokenValidator, issuer: Issuer, claim: Any, roles: set[Role]
) -> None:
    assert (await validator.validate(issuer.token(extension_Roles=claim))).roles == roles


@pytest.mark.parametrize(
    "claims",
    [
        {"extension_TenantId": ""},
        {"extension_TenantId": 7},
        {"extension_TenantId": ["acme"]},
        {"extension_TenantId": "x" * 129},
        {"tenant_id": "globex"},
    ],
)
async def test_a_token_names_one_tenant(validator: TokenValidator, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await _code(validator, issuer.token(**claims)) == "token_tenant"


async def test_a_token_without_tenant_is_refused(validator: TokenValidator, issuer: Issuer) -> None:
    assert await _code(validator, issuer.token(without=("extension_TenantId",))) == "token_tenant"
    assert await _code(validator, issuer.daemon_token(tenant_id=None)) == "token_tenant"


_REFUSED: dict[str, tuple[str, Callable[[Issuer], str]]] = {
    "expired": ("token_expired", lambda i: i.token(exp=int(time.time()) - 61)),
    "not yet valid": ("token_not_yet_valid", lambda i: i.token(nbf=int(time.time()) + 90)),
    "issued in the future": ("token_not_yet_valid", lambda i: i.token(iat=int(time.time()) + 90)),
    "no expiry": ("token_claims", lambda i: i.token(without=("exp",))),
    "no subject": ("token_claims", lambda i: i.token(without=("sub",))),
    "empty subject": ("token_subject", lambda i: i.token(sub="")),
    "long subject": ("token_subject", lambda i: i.token(sub="x" * 129)),
    "other audience": ("token_audience", lambda i: i.token(aud="another-api")),
    "several audiences": ("token_audience", lambda i: i.token(aud=[AUDIENCE, "another-api"])),
    "no audience": ("token_claims", lambda i: i.token(without=("aud",))),
    "other issuer": ("token_issuer", lambda i: i.token(iss="https://evil.example/v2.0/")),
    "issuer without its slash": ("token_issuer", lambda i: i.token(iss=i.issuer.rstrip("/"))),
    "no issuer": ("token_claims", lambda i: i.token(without=("iss",))),
    "other policy": ("token_policy", lambda i: i.token(tfp="B2C_1_password_reset")),
    "no policy": ("token_policy", lambda i: i.token(without=("tfp",))),
    "policy that is no text": ("token_policy", lambda i: i.token(tfp=["B2C_1_signin"])),
    "ID token": ("token_kind", lambda i: i.token(without=("scp", "azp"))),
    "ID token with roles": ("token_kind", lambda i: i.token(without=("scp", "azp"), roles=["admin"])),
    "token for its own client": ("token_kind", lambda i: i.token(azp=AUDIENCE)),
    "service without roles": ("token_kind", lambda i: i.daemon_token(roles=[])),
    "unknown key": ("token_key", lambda i: i.token(key="key-z")),
    "known key's name on another's signature": (
        "token_signature",
        lambda i: i.token(key="key-z", header={"kid": "key-a"}),
    ),
    "no key named": ("token_key", lambda i: i.token(header={"kid": ""})),
    "long key name": ("token_key", lambda i: i.token(header={"kid": "x" * 257})),
    "critical extension": ("token_malformed", lambda i: i.token(header={"crit": ["exp"], "exp": 1})),
    "RS512": ("token_algorithm", lambda i: _signed_otherwise(i, "RS512")),
    "PS256": ("token_algorithm", lambda i: _signed_otherwise(i, "PS256")),
    "huge": ("token_too_long", lambda i: i.token(padding="x" * 20_000)),
    "deeply nested": ("token_malformed", lambda i: f"{_segment({'alg': 'RS256'})}.{_deep()}.x"),
    "no token": ("token_malformed", lambda i: ""),
    "two parts": ("token_malformed", lambda i: ".".join(i.token().split(".")[:2])),
    "five parts": ("token_malformed", lambda i: i.token() + ".x.y"),
    "not base64": ("token_malformed", lambda i: "ä.ö.ü"),
    "half a surrogate": ("token_malformed", lambda i: "\ud83d"),
    "claims that are a list": (
        "token_malformed",
        lambda i: f"{_segment({'alg': 'RS256', 'kid': 'key-a'})}.{_segment([])}.x",
    ),
}


def _signed_otherwise(issuer: Issuer, algorithm: str) -> str:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return jwt.encode(claims, private_key("key-a"), algorithm=algorithm, headers={"kid": "key-a"})


def _deep() -> str:
    nested = "[" * 10_000 + "]" * 0
    return base64.urlsafe_b64encode(nested.encode()).rstrip(b"=").decode()[:12_000]


@pytest.mark.parametrize("case", _REFUSED)
async def test_a_token_is_refused_with_the_reason(validator: TokenValidator, issuer: Issuer, case: str) -> None:
    code, make = _REFUSED[case]
    assert await _code(validator, make(issuer)) == code


@pytest.mark.parametrize(("exp_s", "nbf_s"), [(-50, 0), (3600, 50)])
async def test_clocks_may_differ_by_a_minute(
    validator: TokenValidator, issuer: Issuer, exp_s: int, nbf_s: int
) -> None:
    now = int(time.time())
    await validator.validate(issuer.token(exp=now + exp_s, nbf=now + nbf_s))


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
async def test_an_unsigned_token_is_refused(validator: TokenValidator, issuer: Issuer, name: str) -> None:
    _, body, signature = issuer.token().split(".")
    for kept in ("", signature):
        token = f"{_segment({'alg': name, 'typ': 'JWT', 'kid': 'key-a'})}.{body}.{kept}"
        assert await _code(validator, token) == "token_algorithm"


async def test_the_public_key_is_no_secret_to_sign_with(validator: TokenValidator, issuer: Issuer) -> None:
    import hashlib
    import hmac

    public = private_key("key-a").public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = issuer.token().split(".")[1]
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'key-a'})}.{body}"
    digest = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    assert await _code(validator, token) == "token_algorithm"


@pytest.mark.parametrize("kid", ["key-a", "evil"])
async def test_keys_that_a_token_brings_are_not_looked_at(
    validator: TokenValidator, issuer: Issuer, kid: str
) -> None:
    own = jwt.algorithms.RSAAlgorithm.to_jwk(private_key("evil").public_key(), as_dict=True)
    header = {
        "kid": kid,
        "jwk": {**own, "kid": kid},
        "jku": f"{issuer.base_url}/evil/keys",
        "x5u": f"{issuer.base_url}/evil/certificate",
        "x5c": ["MIIB"],
    }
    code = await _code(validator, issuer.token(key="evil", header=header))
    assert code == ("token_signature" if kid == "key-a" else "token_key")
    assert not [path for path in issuer.questions if "evil" in path]
    assert (await validator.validate(issuer.token(header={**header, "kid": "key-a"}))).subject == "person-1"


async def test_a_changed_token_is_refused(validator: TokenValidator, issuer: Issuer) -> None:
    header, body, signature = issuer.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = _segment({**claims, "extension_Roles": "admin"})
    assert await _code(validator, f"{header}.{changed}.{signature}") == "token_signature"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_unusable_keys_of_the_issuer_are_passed_over(validator: TokenValidator, issuer: Issuer) -> None:
    weak = jwt.algorithms.RSAAlgorithm.to_jwk(private_key("weak-1024").public_key(), as_dict=True)
    good = jwt.algorithms.RSAAlgorithm.to_jwk(private_key("other").public_key(), as_dict=True)
    issuer.extra_keys = [
        {**weak, "kid": "weak-1024"},
        {**good, "kid": "for-encryption", "use": "enc"},
        {**good, "kid": "for-another-algorithm", "alg": "RS512"},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": 7, "n": "x", "e": "AQAB"},
    ]
    assert await _code(validator, issuer.token(key="weak-1024")) == "token_key"
    assert await _code(validator, issuer.token(key="other", header={"kid": "for-encryption"})) == "token_key"
    await validator.validate(issuer.token())


async def test_ping_tells_whether_the_issuer_answers(validator: TokenValidator, issuer: Issuer) -> None:
    await validator.ping()
    assert issuer.key_questions() == 1


async def test_a_stopped_issuer_is_told_in_time() -> None:
    url = f"http://127.0.0.1:{free_port()}/t/b2c_1_x/v2.0/.well-known/openid-configuration"
    stopped = OidcTokenValidator(b2c_profile([url], AUDIENCE), timeout_s=1.0)
    began = time.monotonic()
    issuer = Issuer()
    with pytest.raises(StoreError) as unavailable:
        await stopped.ping()
    assert unavailable.value.retryable
    with pytest.raises(StoreError):
        await stopped.validate(issuer.token(tfp="B2C_1_x"))
    assert time.monotonic() - began < 2.5


async def test_a_silent_issuer_costs_the_deadline_and_no_more(issuer: Issuer) -> None:
    validator = OidcTokenValidator(b2c_profile([issuer.metadata_url], AUDIENCE), timeout_s=0.3)
    issuer.open.clear()
    began = time.monotonic()
    outcomes = await asyncio.gather(*(validator.validate(issuer.token()) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, StoreError) and outcome.retryable for outcome in outcomes)
    assert time.monotonic() - began < 1.5
    assert len(issuer.questions) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": None},
        {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
        {"jwks_uri": None},
        {"jwks_uri": "no address"},
    ],
)
async def test_a_discovery_document_that_cannot_be_is_refused(
    validator: TokenValidator, issuer: Issuer, document: dict[str, Any]
) -> None:
    issuer.document = document
    with pytest.raises(StoreError):
        await validator.validate(issuer.token())


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_other_answers_than_200_are_no_answer(validator: TokenValidator, issuer: Issuer, status: int) -> None:
    issuer.status = status
    with pytest.raises(StoreError):
        await validator.ping()
    assert not [path for path in issuer.questions if "elsewhere" in path]


@pytest.mark.parametrize("urls", [[], ["https://t.b2clogin.com/.well-known/openid-configuration"]])
def test_b2c_needs_to_know_its_policies(urls: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        b2c_profile(urls, AUDIENCE)


def test_a_policy_may_stand_in_the_query() -> None:
    url = "https://t.b2clogin.com/t.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=B2C_1_SignIn"
    assert list(b2c_profile([url], AUDIENCE).metadata_urls) == ["b2c_1_signin"]
