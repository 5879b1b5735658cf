"""Tokens with one thing wrong are wrong in just that, and keys can be replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest

from local_stack.identity.key_ring import KeyRing
from local_stack.identity.workshop import DEFECTS
from tests.local_stack.identity.conftest import B2C, SECRET, Rig

HEADERS = {"Authorization": f"Bearer {SECRET}"}
REFUSALS: dict[str, type[Exception]] = {
    "expired": jwt.ExpiredSignatureError,
    "not_yet_valid": jwt.ImmatureSignatureError,
    "wrong_audience": jwt.InvalidAudienceError,
    "wrong_issuer": jwt.InvalidIssuerError,
    "unknown_kid": StopIteration,
    "no_kid": KeyError,
    "foreign_key": jwt.InvalidSignatureError,
    "bad_signature": jwt.InvalidSignatureError,
    "alg_none": jwt.InvalidAlgorithmError,
    "hs256": jwt.InvalidAlgorithmError,
}


async def _mint(rig: Rig, **wish: Any) -> str:
    answer = await rig.http.post("/_local/mint", json=wish, headers=HEADERS)
    assert answer.status == 200, await answer.text()
    token: str = (await answer.json())["token"]
    return token


async def test_every_defect_is_covered_here() -> None:
    assert set(DEFECTS) == {"none", *REFUSALS}


@pytest.mark.parametrize("defect", REFUSALS)
async def test_a_careful_validator_refuses_it(rig: Rig, defect: str) -> None:
    token = await _mint(rig, defect=defect)
    with pytest.raises((REFUSALS[defect], RuntimeError)):
        await rig.decode(token, B2C, "voice-agent-api")


async def test_a_whole_token_has_the_claims_that_were_wished(rig: Rig) -> None:
    token = await _mint(rig, login="carl", claims={"extension_Roles": "ruler"}, remove=["emails"])
    claims = await rig.decode(token, B2C, "voice-agent-api")
    assert claims["extension_Roles"] == "ruler"
    assert "emails" not in claims
    assert claims["name"] == "Carl Caller"


@pytest.mark.parametrize(
    "wish", [{"defect": "odd"}, {"login": "mallory"}, {"kind": "odd"}, {"claims": 1}, {"remove": 1}, []]
)
async def test_a_wish_that_makes_no_sense_is_refused(rig: Rig, wish: Any) -> None:
    assert (await rig.http.post("/_local/mint", json=wish, headers=HEADERS)).status == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}])
async def test_only_who_knows_the_secret_may_mint_and_rotate(rig: Rig, headers: dict[str, str]) -> None:
    assert (await rig.http.post("/_local/mint", json={}, headers=headers)).status == 401
    assert (await rig.http.post("/_local/rotate", headers=headers)).status == 401


async def test_after_a_rotation_old_tokens_hold_until_the_key_is_retired(rig: Rig) -> None:
    old = await _mint(rig)
    await rig.http.post("/_local/rotate", headers=HEADERS)
    new = await _mint(rig)
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    for token in (old, new):
        await rig.decode(token, B2C, "voice-agent-api")
    await rig.http.post("/_local/rotate", params={"retire": "true"}, headers=HEADERS)
    with pytest.raises(RuntimeError):
        await rig.decode(old, B2C, "voice-agent-api")


def test_keys_survive_a_restart_and_are_nobody_elses(tmp_path: Path) -> None:
    first = KeyRing(tmp_path)
    first.open()
    second = KeyRing(tmp_path)
    second.open()
    assert first.jwks() == second.jwks()
    assert first.refresh_secret == second.refresh_secret
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    assert not {"d", "p", "q"} & second.jwks()["keys"][0].keys()
