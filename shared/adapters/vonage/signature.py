"""Vonage's signed webhooks: a JWT over each request, checked on the raw bytes before anything is read from them.

Source: https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from shared.domain.errors import Unauthenticated

OLDEST_S = 300
NEWEST_S = 60
"""How far ahead of ours the sender's clock may be."""
SEEN_FOR_S = 2 * (OLDEST_S + NEWEST_S)
"""How long a `jti` is remembered: longer than the request is accepted at all."""
_ISSUER = "Vonage"
_ALGORITHM = "HS256"
_BEARER = "bearer "
_MAX_TOKEN_CHARACTERS = 4096
_MAX_ID_CHARACTERS = 128
_SIGNATURE_ONLY: Any = {
    **dict.fromkeys(("verify_aud", "verify_exp", "verify_iat", "verify_iss", "verify_nbf", "verify_sub"), False),
    "verify_signature": True,
}
"""The claims are checked here: PyJWT knows neither an oldest `iat` nor leeway for it alone."""


@dataclass(frozen=True, slots=True)
class SigningAccounts:
    """`secrets`: by API key, the signature secret and, while it is rotated, the one before.

    `application_id`: the only application whose requests count; empty for any of the accounts'.
    """

    secrets: Mapping[str, tuple[str, ...]]
    application_id: str = ""

    def check(self, authorization: str | None, body: bytes, now_s: float) -> str:
        """The request's `jti`, which is to be seen once only. Raises: Unauthenticated."""
        token = _bearer(authorization)
        claims = self._signed(token)
        if claims.get("iss") != _ISSUER:
            raise _refusal("the token is not Vonage's")
        if self.application_id and claims.get("application_id") != self.application_id:
            raise _refusal("the token is for another application")
        issued_at = claims.get("iat")
        if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
            raise _refusal("the token does not say when it was made")
        if not now_s - OLDEST_S <= issued_at <= now_s + NEWEST_S:
            raise _refusal("the token is too old, or from the future")
        _check_payload(claims, body)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_ID_CHARACTERS:
            raise _refusal("the token has no id")
        return jti

    def _signed(self, token: str) -> dict[str, Any]:
        """Claims of a token that one of the named account's secrets signed."""
        try:
            header = jwt.get_unverified_header(token)
            named = jwt.decode(token, options={"verify_signature": False}).get("api_key")
        except (jwt.InvalidTokenError, RecursionError):
            raise _refusal("the token cannot be read") from None
        if header.get("alg") != _ALGORITHM:
            raise _refusal(f"the token is not signed with {_ALGORITHM}")
        for secret in self.secrets.get(named, ()) if isinstance(named, str) else ():
            if not secret:
                continue
            try:
                claims: dict[str, Any] = jwt.decode(
                    token, secret.encode(), algorithms=[_ALGORITHM], options=_SIGNATURE_ONLY
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError:
                raise _refusal("the token cannot be read") from None
            return claims
        raise _refusal("the token is not signed by an account of ours")


def _bearer(authorization: str | None) -> str:
    given = authorization or ""
    if not given.lower().startswith(_BEARER) or not given.isascii() or len(given) > _MAX_TOKEN_CHARACTERS:
        raise _refusal("the request bears no token")
    return given[len(_BEARER) :].strip()


def _check_payload(claims: Mapping[str, Any], body: bytes) -> None:
    if "payload_hash" not in claims:
        if body:
            raise _refusal("the token does not cover the body")
        return
    claimed = claims["payload_hash"]
    if not isinstance(claimed, str) or not claimed.isascii():
        raise _refusal("the token's hash is malformed")
    if not hmac.compare_digest(claimed.lower(), hashlib.sha256(body).hexdigest()):
        raise _refusal("the body is not the one that was signed")


def _refusal(message: str) -> Unauthenticated:
    return Unauthenticated("vonage_signature", message)
