"""What is sealed is read by nobody else, for nothing else, and survives a change of keys."""

from __future__ import annotations

import base64
import json

import pytest

from shared.adapters.aes_gcm.vault import AesGcmVault, read_keys
from shared.domain.errors import InvalidRequest, StoreError
from shared.ports.vault import Sealed

OLD, NEW = {"old": b"o" * 32}, {"new": b"n" * 32}
PLAIN = "what was really said: नमस्ते".encode()


async def test_sealed_and_opened() -> None:
    vault = AesGcmVault(NEW)
    sealed = await vault.seal(PLAIN, purpose="a")
    assert sealed.key_id == vault.key_id == "new"
    assert PLAIN not in sealed.content
    assert await vault.unseal(sealed, purpose="a") == PLAIN
    assert (await vault.seal(PLAIN, purpose="a")).content != sealed.content


async def test_for_this_purpose_only() -> None:
    vault = AesGcmVault(NEW)
    sealed = await vault.seal(PLAIN, purpose="raw transcript t1 c1")
    with pytest.raises(StoreError, match="vault_damaged"):
        await vault.unseal(sealed, purpose="raw transcript t2 c1")


@pytest.mark.parametrize("place", [0, 1, 20, 60, 75, -1])
async def test_a_changed_byte_is_noticed(place: int) -> None:
    vault = AesGcmVault(NEW)
    sealed = await vault.seal(PLAIN, purpose="a")
    content = bytearray(sealed.content)
    content[place] ^= 1
    with pytest.raises(StoreError, match="vault_damaged"):
        await vault.unseal(Sealed("new", bytes(content)), purpose="a")


@pytest.mark.parametrize("length", [0, 1, 13, 60, 61, 75])
async def test_a_piece_of_it_is_no_more(length: int) -> None:
    vault = AesGcmVault(NEW)
    sealed = await vault.seal(PLAIN, purpose="a")
    with pytest.raises(StoreError, match="vault_damaged"):
        await vault.unseal(Sealed("new", sealed.content[:length]), purpose="a")


async def test_keys_change() -> None:
    sealed = await AesGcmVault(OLD).seal(PLAIN, purpose="a")
    both = AesGcmVault(NEW | OLD)
    assert await both.unseal(sealed, purpose="a") == PLAIN
    anew = await both.reseal(sealed, purpose="a")
    assert anew.key_id == "new"
    assert await AesGcmVault(NEW).unseal(anew, purpose="a") == PLAIN
    with pytest.raises(StoreError, match="vault_key_unknown"):
        await AesGcmVault(NEW).unseal(sealed, purpose="a")


async def test_without_keys() -> None:
    vault = AesGcmVault({})
    assert vault.key_id == ""
    with pytest.raises(StoreError, match="vault_closed"):
        await vault.seal(PLAIN, purpose="a")


def test_keys_are_read_in_their_order() -> None:
    given = {name: base64.b64encode(name.encode() * 16).decode() for name in ("k2", "k1")}
    assert list(read_keys(json.dumps(given)).items()) == [("k2", b"k2" * 16), ("k1", b"k1" * 16)]
    assert read_keys("") == {}


@pytest.mark.parametrize(
    "given", ["[]", '"x"', "{", '{"a": 1}', '{"a": "AAAA"}', '{"a": "!"}', '{"": "' + "A" * 43 + '="}']
)
def test_keys_that_are_none(given: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_keys(given)
    assert "AAAA" not in caught.value.message
