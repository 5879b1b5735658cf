"""Passes and signatures, each tampered with in every part."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.sarvam import passes
from shared.domain.errors import InvalidRequest, Unauthenticated

SECRET = "s3cret-of-32-characters-or-more-x"
BODY, AT, NOW_MS = b'{"attempt_id":"a-1"}', "1763800000", 1_763_800_001_000.0


def tag(timestamp: str = AT, body: bytes = BODY, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).digest()


def check(signature: str, timestamp: str = AT, body: bytes = BODY, now_ms: float = NOW_MS) -> None:
    passes.check_signature(body, timestamp, signature, [SECRET], now_ms)


@pytest.mark.parametrize("prefix", ["", "sha256=", "v1="])
def test_a_signature_in_each_writing(prefix: str) -> None:
    check(prefix + tag().hex())
    check(prefix + tag().hex().upper())
    check(prefix + base64.b64encode(tag()).decode())


@pytest.mark.parametrize(
    "timestamp", [AT, AT + "000", AT + ".25", "2025-11-22T08:26:40Z", "2025-11-22T13:56:40+05:30"]
)
def test_a_moment_in_each_writing(timestamp: str) -> None:
    check(tag(timestamp).hex(), timestamp)


def test_each_part_counts() -> None:
    good = tag().hex()
    for at in range(0, 64, 7):
        bad = good[:at] + ("0" if good[at] != "0" else "1") + good[at + 1 :]
        with pytest.raises(Unauthenticated):
            check(bad)
    for changed in ({"body": BODY + b" "}, {"timestamp": "1763800001"}, {"timestamp": AT + ".0"}):
        with pytest.raises(Unauthenticated):
            check(good, **changed)  # type: ignore[arg-type]
    with pytest.raises(Unauthenticated):
        check(tag(secret=SECRET + "x").hex())


@pytest.mark.parametrize("hours", [-25, 1])
def test_a_moment_that_is_not_now(hours: int) -> None:
    moment = str(int(NOW_MS / 1000) + hours * 3600)
    with pytest.raises(Unauthenticated):
        check(tag(moment).hex(), moment)


@given(st.text(), st.text(), st.binary())
def test_nothing_confuses_it(signature: str, timestamp: str, body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        check(signature, timestamp, body)
    with pytest.raises(Unauthenticated):
        check(signature)
    with pytest.raises(Unauthenticated):
        passes.check_call_pass(signature, timestamp, [SECRET])
    with pytest.raises(Unauthenticated):
        passes.check_bearer(signature, [SECRET])


def test_a_pass_tells_nothing_of_the_secret_and_differs_by_call() -> None:
    one, other = (passes.call_pass(SECRET, call_id) for call_id in ("call-1", "call-2"))
    assert one != other
    assert len(one) == 43
    assert SECRET not in one
    assert one == passes.call_pass(SECRET, "call-1")


def test_a_tampered_pass() -> None:
    one = passes.call_pass(SECRET, "call-1")
    passes.check_call_pass(one, "call-1", ["another-secret-of-more-than-32-characters", SECRET])
    for bad in (one[:-1], one + "A", ("B" if one[0] != "B" else "C") + one[1:], one.swapcase()):
        with pytest.raises(Unauthenticated):
            passes.check_call_pass(bad, "call-1", [SECRET])


def test_without_a_secret_nobody_is_let_in() -> None:
    with pytest.raises(Unauthenticated):
        passes.check_bearer("Bearer ", [])
    with pytest.raises(Unauthenticated):
        passes.check_signature(BODY, AT, "", [], NOW_MS)


def test_secrets_that_can_be_guessed() -> None:
    assert passes.known(SECRET, "", name="X") == (SECRET,)
    with pytest.raises(InvalidRequest, match="X has at least 32"):
        passes.known("short", name="X")
