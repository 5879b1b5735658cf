"""The signature by which our own function on AWS proves that it is the one that asks.

Amazon Connect calls nobody over HTTP: its flow invokes a Lambda of ours (`infra/aws`), which signs and forwards.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain.errors import Unauthenticated

TIMESTAMP, NONCE, SIGNATURE = "x-voice-timestamp", "x-voice-nonce", "x-voice-signature"
WINDOW_S = 300
"""How far the two clocks may be apart; for so long each nonce is remembered on either side."""
_NONCE_CHARACTERS = range(16, 129)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request bears. `nonce` is new with each sending, also of the same body."""

    timestamp: str
    nonce: str
    signature: str


def signature(secret: str, *, timestamp: str, nonce: str, method: str, path: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over time (Unix seconds), nonce, method and path, each on its line, and the raw body."""
    head = f"{timestamp}\n{nonce}\n{method.upper()} {path}\n".encode()
    return hmac.new(secret.encode(), head + body, hashlib.sha256).hexdigest()


def check(
    secrets: Iterable[str], headers: Mapping[str, str], *, method: str, path: str, body: bytes, now_s: float
) -> Signed:
    """What the request bears, if one of the secrets signed it within the window.

    The nonce is well formed, and still to be looked up. Raises: Unauthenticated.
    """
    signed = Signed(headers.get(TIMESTAMP, ""), headers.get(NONCE, ""), headers.get(SIGNATURE, ""))
    if not (signed.signature.isascii() and signed.nonce.isascii() and signed.timestamp.isascii()):
        raise Unauthenticated("connect_signature", "the signature's headers are not ASCII")
    if not signed.timestamp.isdecimal() or abs(now_s - int(signed.timestamp[:12])) > WINDOW_S:
        raise Unauthenticated("connect_timestamp", f"{TIMESTAMP} is missing, or more than {WINDOW_S} s off")
    if len(signed.nonce) not in _NONCE_CHARACTERS or not signed.nonce.isprintable():
        raise Unauthenticated("connect_nonce", f"{NONCE} is missing or malformed")
    parts = {"timestamp": signed.timestamp, "nonce": signed.nonce, "method": method, "path": path}
    expected = (signature(secret, **parts, body=body) for secret in secrets if secret)
    if not any(hmac.compare_digest(each, signed.signature) for each in expected):
        raise Unauthenticated("connect_signature", f"{SIGNATURE} is missing or wrong")
    return signed
