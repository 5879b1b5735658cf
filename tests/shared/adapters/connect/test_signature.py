"""Our own signature: good for what was signed, for a while, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.connect.signature import NONCE, SIGNATURE, TIMESTAMP, WINDOW_S, check, signature
from shared.domain.errors import Unauthenticated

NOW_S = 1_795_381_200
SENT = {"method": "POST", "path": "/api/webhooks/connect/turn", "body": b'{"event":{}}'}


def headers(secret: str = "current", nonce: str = "n" * 32, at_s: int = NOW_S) -> dict[str, str]:
    signed = signature(secret, timestamp=str(at_s), nonce=nonce, **SENT)
    return {TIMESTAMP: str(at_s), NONCE: nonce, SIGNATURE: signed}


def checked(
    given: dict[str, str], *, now_s: float = NOW_S, secrets: tuple[str, ...] = ("current", "last"), **changes: object
) -> str:
    return check(secrets, given, now_s=now_s, **(SENT | changes)).nonce  # type: ignore[arg-type]


def test_the_vector_that_the_function_on_aws_has_to_make() -> None:
    made = signature(
        "secret", timestamp="1795381200", nonce="0123456789abcdef", method="POST", path="/api/webhooks/connect/turn",
        body=b'{"request_id": "r1"}',
    )  # fmt: skip
    assert made == "4e01e6d2b2e705f3eb00ba935ec09c02117bb62801c9bf95f76869078cd22233"


@pytest.mark.parametrize("secret", ["current", "last"])
def test_both_secrets_count_while_they_are_rotated(secret: str) -> None:
    assert checked(headers(secret)) == "n" * 32


@pytest.mark.parametrize("name", [TIMESTAMP, NONCE, SIGNATURE])
def test_each_part_is_needed(name: str) -> None:
    given = headers()
    with pytest.raises(Unauthenticated):
        checked({key: value for key, value in given.items() if key != name})
    with pytest.raises(Unauthenticated):
        checked(given | {name: given[name][:-1] + ("1" if given[name][-1] != "1" else "2")})


@pytest.mark.parametrize(
    "changes", [{"body": b'{"event":{ }}'}, {"path": "/api/webhooks/connect/lex"}, {"method": "PUT"}]
)
def test_what_was_signed_cannot_be_changed(changes: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        checked(headers(), **changes)


@pytest.mark.parametrize("off_s", [-WINDOW_S - 1, WINDOW_S + 1])
def test_it_is_good_for_five_minutes(off_s: int) -> None:
    with pytest.raises(Unauthenticated) as error:
        checked(headers(), now_s=NOW_S + off_s)
    assert error.value.code == "connect_timestamp"
    assert checked(headers(), now_s=NOW_S + off_s // abs(off_s) * (abs(off_s) - 1))


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(Unauthenticated):
        checked(headers(""), secrets=("", ""))


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_whatever_stands_in_the_headers(timestamp: str, nonce: str, signed: str) -> None:
    with pytest.raises(Unauthenticated):
        checked({TIMESTAMP: timestamp, NONCE: nonce, SIGNATURE: signed})
