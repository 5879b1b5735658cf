"""Vonage's signatures: the vector of the reference, and each part of it tampered with."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.vonage.signature import NEWEST_S, OLDEST_S, SigningAccounts
from shared.domain.errors import Unauthenticated

SECRET = "s" * 32
BODY = b'{"from":"442079460000","to":"447700900000","uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab"}'
APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
VECTOR = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NjAwMDAwMDAsImp0aSI6ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1"
    "MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjllOTQxZWNiNzUxZDdhMGY2YzA3ZjczZWQ5NDgzZjFlNDhjOTg0N2U5OTU2OGJm"
    "YjhkYTdlZDA4ZmQ0NDgxZmUiLCJhcGlfa2V5IjoiYTFiMmMzZCIsImFwcGxpY2F0aW9uX2lkIjoiYWFhYWFhYWEtYmJiYi1jY2NjLWRkZGQtMDEy"
    "MzQ1Njc4OWFiIn0.eGL_VZQKvyFY25vZcP8RTQGNcpdyQUwTebywTsq71W8"
)
MADE_AT_S = 1_760_000_000
JTI = "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5"
ACCOUNTS = SigningAccounts({"a1b2c3d": (SECRET, "")}, APPLICATION)


def claims(**changed: Any) -> dict[str, Any]:
    all_claims = {
        "iat": MADE_AT_S,
        "jti": JTI,
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(BODY).hexdigest(),
        "api_key": "a1b2c3d",
        "application_id": APPLICATION,
        **changed,
    }
    return {name: value for name, value in all_claims.items() if value is not None}


def token(secret: str = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    return "Bearer " + jwt.encode(claims(**changed), secret, algorithm=algorithm)


def refused(authorization: str | None, body: bytes = BODY, now_s: float = MADE_AT_S) -> str:
    with pytest.raises(Unauthenticated) as problem:
        ACCOUNTS.check(authorization, body, now_s)
    assert problem.value.code == "vonage_signature"
    return problem.value.message


def test_the_vector_is_accepted() -> None:
    assert ACCOUNTS.check(f"Bearer {VECTOR}", BODY, MADE_AT_S) == JTI
    assert ACCOUNTS.check(token(), BODY, MADE_AT_S) == JTI


@pytest.mark.parametrize("part", [0, 1, 2])
def test_each_part_of_the_token_counts(part: int) -> None:
    for at in range(len(VECTOR.split(".")[part])):
        parts = VECTOR.split(".")
        held = parts[part]
        parts[part] = held[:at] + ("A" if held[at] != "A" else "Q") + held[at + 1 :]
        if part == 2 and at == len(held) - 1:
            continue  # its last bits belong to no byte
        refused("Bearer " + ".".join(parts))


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY.replace(b"44", b"45", 1), b"{}"])
def test_the_body_counts_to_the_byte(body: bytes) -> None:
    assert "body" in refused(f"Bearer {VECTOR}", body)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "vonage"},
        {"iss": None},
        {"api_key": "a1b2c3e"},
        {"api_key": None},
        {"api_key": ["a1b2c3d"]},
        {"application_id": "bbbbbbbb-bbbb-cccc-dddd-0123456789ab"},
        {"application_id": None},
        {"iat": None},
        {"iat": "1760000000"},
        {"iat": True},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "j" * 200},
        {"payload_hash": None},
        {"payload_hash": ""},
        {"payload_hash": 7},
        {"payload_hash": "é"},
        {"payload_hash": hashlib.sha256(b"").hexdigest()},
    ],
    ids=str,
)
def test_each_claim_counts(changed: dict[str, Any]) -> None:
    refused(token(**changed))


def test_a_token_is_good_for_minutes() -> None:
    for now_s in (MADE_AT_S - NEWEST_S, MADE_AT_S, MADE_AT_S + OLDEST_S):
        assert ACCOUNTS.check(f"Bearer {VECTOR}", BODY, now_s) == JTI
    for now_s in (MADE_AT_S - NEWEST_S - 1, MADE_AT_S + OLDEST_S + 1, time.time()):
        assert "old" in refused(f"Bearer {VECTOR}", now_s=now_s)


def test_the_algorithm_is_pinned() -> None:
    unsigned = jwt.encode(claims(), None, algorithm="none")
    assert "HS256" in refused(f"Bearer {unsigned}")
    assert "HS256" in refused(token(algorithm="HS384", secret=SECRET * 2))


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", f"Basic {VECTOR}", VECTOR, "Bearer é.é.é", "Bearer " + "a" * 5000]
)
def test_without_a_token_nobody_comes_in(given: str | None) -> None:
    refused(given)


def test_while_the_secret_is_rotated_the_one_before_counts_too() -> None:
    rotating = SigningAccounts({"a1b2c3d": ("n" * 32, SECRET)})
    assert rotating.check(token(), BODY, MADE_AT_S) == JTI
    assert rotating.check(token(secret="n" * 32), BODY, MADE_AT_S) == JTI
    with pytest.raises(Unauthenticated):
        rotating.check(token(secret="o" * 32), BODY, MADE_AT_S)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(Unauthenticated):
        SigningAccounts({"a1b2c3d": ("",)}).check(token(), BODY, MADE_AT_S)


def test_a_secret_is_good_for_its_own_account_only() -> None:
    two = SigningAccounts({"a1b2c3d": (SECRET,), "other": ("o" * 32,)})
    with pytest.raises(Unauthenticated):
        two.check(token(secret="o" * 32), BODY, MADE_AT_S)
    assert two.check(token(secret="o" * 32, api_key="other"), BODY, MADE_AT_S) == JTI


@given(st.text(max_size=300))
def test_whatever_comes_is_refused_and_never_more(given_text: str) -> None:
    refused(f"Bearer {given_text}")
