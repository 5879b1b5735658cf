"""The signing keys: made once, kept on disk, published as JWKS, replaced on demand."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_KEY_BITS = 2048


@dataclass(frozen=True)
class SigningKey:
    """An RSA key and the identifier under which it is published."""

    kid: str
    private: rsa.RSAPrivateKey

    def published(self) -> dict[str, str]:
        """Return the public half as a JWK for RS256."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "n": _base64url_number(numbers.n),
            "e": _base64url_number(numbers.e),
        }

    def public_pem(self) -> bytes:
        """Return the public half as PEM text."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


class KeyRing:
    """The keys of the issuer, newest last; the newest one signs, all are published."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "keys.json"
        self._keys: list[SigningKey] = []
        self.refresh_secret = ""

    def open(self) -> None:
        """Read the keys, or make the first one."""
        if self._path.exists():
            kept = json.loads(self._path.read_text(encoding="ascii"))
            self._keys = [_read_key(each) for each in kept["keys"]]
            self.refresh_secret = kept["refresh_secret"]
        else:
            self.refresh_secret = secrets.token_urlsafe(32)
            self.rotate()

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self._keys[-1]

    def rotate(self, *, retire: bool = False) -> str:
        """Sign with a new key from now on; with `retire` the old ones are no longer published."""
        key = make_key()
        self._keys = [key] if retire else [*self._keys, key]
        self._write()
        return key.kid

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the published keys."""
        return {"keys": [key.published() for key in self._keys]}

    def sign(self, claims: dict[str, object]) -> str:
        """Return a signed token (RS256)."""
        return sign(claims, self.current)

    def _write(self) -> None:
        document = {"keys": [_private_pem(key) for key in self._keys], "refresh_secret": self.refresh_secret}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(document), encoding="ascii")
        unfinished.replace(self._path)


def make_key() -> SigningKey:
    """Return a new key; its identifier is derived from its public half."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    return SigningKey(_kid(private), private)


def sign(claims: dict[str, object], key: SigningKey) -> str:
    """Return `claims` signed with `key` (RS256)."""
    return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})


def _kid(private: rsa.RSAPrivateKey) -> str:
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    return base64.urlsafe_b64encode(digest.finalize()).rstrip(b"=").decode("ascii")


def _base64url_number(number: int) -> str:
    length = (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(length, "big")).rstrip(b"=").decode("ascii")


def _private_pem(key: SigningKey) -> str:
    return key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def _read_key(pem: str) -> SigningKey:
    private = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError("keys.json holds a key that is not RSA: run make clean")
    return SigningKey(_kid(private), private)
