"""Who may knock at the doors of Sarvam's voice agents: who bears our secret, signs with theirs, or has a call's pass.

Nothing that lets anybody in stands in an address that is entered into the platform. The address that is given along
with a call bears a pass, which is good for what becomes of that call, and for nothing else.
Source: https://docs.sarvam.ai/voice-agents/settings/webhooks (headers of our own, and the signature of results) and
https://docs.sarvam.ai/voice-agents/build/tools/https-tool (headers of tools and hooks)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from shared.domain.errors import InvalidRequest, Unauthenticated

SHORTEST_SECRET = 32
SIGNATURE_HEADER, TIMESTAMP_HEADER = "sarvam-signature", "sarvam-timestamp"
_SCHEME = "bearer "
_PURPOSE = b"result of call "
_OLDEST_MS = 24 * 3_600_000.0
"""A delivery may be repeated for long, and one that comes again does nothing; whether it is signed anew then is not
documented."""
_NEWEST_MS = 300_000.0
_LATEST_S = 1e11
"""A moment that is greater is not in seconds."""
_DIGEST_BYTES = 32


def known(*secrets: str, name: str) -> tuple[str, ...]:
    """Those that are set. Raises: InvalidRequest for one that can be guessed."""
    if any(len(secret) < SHORTEST_SECRET for secret in secrets if secret):
        raise InvalidRequest("settings", f"{name} has at least {SHORTEST_SECRET} characters")
    return tuple(secret for secret in secrets if secret)


def check_bearer(authorization: str, secrets: Iterable[str]) -> None:
    """Raises: Unauthenticated."""
    is_bearer = authorization[: len(_SCHEME)].lower() == _SCHEME
    given = _digest(authorization[len(_SCHEME) :].strip() if is_bearer else "")
    _admit([hmac.compare_digest(given, _digest(secret)) for secret in secrets])


def call_pass(secret: str, call_id: str) -> str:
    """Stands in the address to which the result of this call of ours is told."""
    tag = hmac.new(secret.encode(), _PURPOSE + call_id.encode(errors="replace"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(tag).decode().rstrip("=")


def check_call_pass(given: str, call_id: str, secrets: Iterable[str]) -> None:
    """Raises: Unauthenticated."""
    digest = _digest(given)
    _admit([hmac.compare_digest(digest, _digest(call_pass(secret, call_id))) for secret in secrets])


def check_signature(body: bytes, timestamp: str, signature: str, secrets: Iterable[str], now_ms: float) -> None:
    """The tag is over the timestamp, a full stop and the body. Raises: Unauthenticated."""
    at_ms = _moment_ms(timestamp)
    if at_ms is None or not now_ms - _OLDEST_MS <= at_ms <= now_ms + _NEWEST_MS:
        raise Unauthenticated("sarvam_timestamp", "the signature has no moment, or an old one")
    signed = timestamp.encode(errors="replace") + b"." + body
    given = _tag(signature)
    tags = [hmac.new(secret.encode(), signed, hashlib.sha256).digest() for secret in secrets]
    _admit([hmac.compare_digest(given, tag) for tag in tags])


def _admit(matches: list[bool]) -> None:
    """Every secret has been compared, whichever it is."""
    if not any(matches):
        raise Unauthenticated("sarvam_secret", "who knocks does not know the secret")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


def _tag(text: str) -> bytes:
    """In hexadecimal digits or in base64, as which is not documented; behind the name of the algorithm or alone."""
    text = text.strip().removeprefix("sha256=").removeprefix("v1=")
    try:
        if len(text) == 2 * _DIGEST_BYTES:
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _moment_ms(text: str) -> float | None:
    """Of seconds or milliseconds since the Unix epoch, or ISO 8601 with its zone."""
    if len(text) > 40 or not text.isascii():
        return None
    try:
        number = float(text)
    except ValueError:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        return at.timestamp() * 1000 if at.tzinfo is not None else None
    return number if number > _LATEST_S else number * 1000
