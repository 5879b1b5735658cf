"""Fills `Vault` with AES-256-GCM and keys that the settings hold, which Azure reads from Key Vault.

A sealed text is: version (1 byte), nonce (12) and data key (32 + 16) under the vault's key, nonce (12) and content
(+ 16) under the data key. Source: NIST SP 800-38D.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping

from shared.domain.errors import InvalidRequest, StoreError
from shared.ports.vault import Sealed

_VERSION = b"\x01"
_NONCE_BYTES, _KEY_BYTES, _TAG_BYTES = 12, 32, 16
_WRAPPED_BYTES = _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES
_LONGEST_KEY_ID = 64


def read_keys(given: str) -> dict[str, bytes]:
    """Keys by id, the present one first, from a JSON object of ids and 32 bytes in base64; empty: none.

    Raises: InvalidRequest, which shows no key.
    """
    try:
        document = json.loads(given) if given else {}
        keys = {key_id: base64.b64decode(key, validate=True) for key_id, key in document.items()}
    except (ValueError, AttributeError, TypeError, binascii.Error):
        raise InvalidRequest("settings", "SEALING_KEYS must be a JSON object of ids and keys in base64") from None
    if any(len(key) != _KEY_BYTES or not 1 <= len(key_id) <= _LONGEST_KEY_ID for key_id, key in keys.items()):
        raise InvalidRequest("settings", f"SEALING_KEYS: an id and {_KEY_BYTES} bytes each")
    return keys


class AesGcmVault:
    """`keys`: by id, the present one first."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    @property
    def key_id(self) -> str:
        return next(iter(self._keys), "")

    async def seal(self, plain: bytes, *, purpose: str) -> Sealed:
        key_id = self._present()
        data_key = secrets.token_bytes(_KEY_BYTES)
        content = _encrypted(data_key, plain, purpose)
        return Sealed(key_id, _VERSION + self._wrapped(key_id, data_key, purpose) + content)

    async def unseal(self, sealed: Sealed, *, purpose: str) -> bytes:
        data_key, content = self._opened(sealed, purpose)
        return _decrypted(data_key, content, purpose)

    async def reseal(self, sealed: Sealed, *, purpose: str) -> Sealed:
        key_id = self._present()
        data_key, content = self._opened(sealed, purpose)
        return Sealed(key_id, _VERSION + self._wrapped(key_id, data_key, purpose) + content)

    def _present(self) -> str:
        if not self._keys:
            raise StoreError("vault_closed", "no sealing keys are set up (SEALING_KEYS)")
        return self.key_id

    def _wrapped(self, key_id: str, data_key: bytes, purpose: str) -> bytes:
        return _encrypted(self._keys[key_id], data_key, f"key {key_id} {purpose}")

    def _opened(self, sealed: Sealed, purpose: str) -> tuple[bytes, bytes]:
        """The data key, and what is under it."""
        key = self._keys.get(sealed.key_id)
        if key is None:
            raise StoreError("vault_key_unknown", "the key with which this was sealed is not there any more")
        version, rest = sealed.content[:1], sealed.content[1:]
        if version != _VERSION or len(rest) < _WRAPPED_BYTES:
            raise _damaged()
        data_key = _decrypted(key, rest[:_WRAPPED_BYTES], f"key {sealed.key_id} {purpose}")
        return data_key, rest[_WRAPPED_BYTES:]


def _encrypted(key: bytes, plain: bytes, purpose: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - slow import

    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, purpose.encode())


def _decrypted(key: bytes, sealed: bytes, purpose: str) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow import
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError):
        raise _damaged() from None


def _damaged() -> StoreError:
    return StoreError("vault_damaged", "what is sealed here is damaged, or something else")
