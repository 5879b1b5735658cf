"""Who may come in: tokens signed with an access key, for clients, REST callers and reconnections."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
from jwt.types import Options

_REMEMBERED_TOKENS = 512
# Signature, exp and nbf are checked; the audience is compared by hand, since it depends on the request.
_CHECKS: Options = {"require": ["exp"], "verify_aud": False, "verify_iat": False, "verify_sub": False}


class AccessDenied(Exception):
    """A token is missing, wrong, out of date or meant for something else."""


class AccessKeys:
    """The one or two keys of the endpoint, and everything that is signed with them."""

    def __init__(self, keys: Sequence[str], endpoint: str) -> None:
        self._keys = tuple(key.encode() for key in keys)
        self._endpoint = endpoint
        self._netloc = urlsplit(endpoint).netloc.lower()
        self._verified: dict[str, dict[str, Any]] = {}

    def is_key(self, candidate: str) -> bool:
        """Whether the text is one of the keys, compared in constant time."""
        matches = [hmac.compare_digest(candidate.encode(), key) for key in self._keys]
        return any(matches)

    def client_claims(self, token: str, hub: str, host: str) -> dict[str, Any]:
        """Claims of a client's token for a hub; `host` is the Host header it came with.

        Raises: AccessDenied.
        """
        claims = self._claims(token)
        allowed = {f"/client/hubs/{hub}", f"/client?hub={hub}", f"/client/?hub={hub}"}
        for audience in _audiences(claims):
            parts = urlsplit(audience)
            target = f"{unquote(parts.path)}?{parts.query}" if parts.query else unquote(parts.path)
            if self._is_ours(parts.netloc, host) and target.lower() in {each.lower() for each in allowed}:
                return claims
        raise AccessDenied("the token is for another audience")

    def check_rest(self, token: str, path: str, host: str) -> None:
        """Pass a REST call whose token names its URL; query parameters do not count.

        Source: https://learn.microsoft.com/rest/api/webpubsub/#rest-api-authentication
        Raises: AccessDenied.
        """
        for audience in _audiences(self._claims(token)):
            parts = urlsplit(audience)
            if self._is_ours(parts.netloc, host) and unquote(parts.path).rstrip("/") == path.rstrip("/"):
                return
        raise AccessDenied("the token is for another audience")

    def issue_client_token(
        self, hub: str, *, user_id: str | None, roles: Sequence[str], groups: Sequence[str], lifetime_s: float
    ) -> str:
        """A token with which a client may connect to the hub, signed with the first key."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": f"{self._endpoint}/client/hubs/{hub}",
            "iat": now,
            "exp": now + int(lifetime_s),
        }
        if user_id:
            claims["sub"] = user_id
        if roles:
            claims["role"] = list(roles)
        if groups:
            claims["webpubsub.group"] = list(groups)
        return jwt.encode(claims, self._keys[0], algorithm="HS256")

    def issue_reconnection_token(self, connection_id: str) -> str:
        """What a reliable client shows to get its connection back."""
        return self._reconnection_digest(self._keys[0], connection_id)

    def is_reconnection_token(self, connection_id: str, token: str) -> bool:
        """Whether the token belongs to the connection."""
        digests = [self._reconnection_digest(key, connection_id) for key in self._keys]
        matches = [hmac.compare_digest(token.encode(), digest.encode()) for digest in digests]
        return any(matches)

    def event_signature(self, connection_id: str) -> str:
        """The ce-signature header: one HMAC of the connection id for each key."""
        digests = (hmac.new(key, connection_id.encode(), hashlib.sha256).hexdigest() for key in self._keys)
        return ",".join(f"sha256={digest}" for digest in digests)

    @staticmethod
    def _reconnection_digest(key: bytes, connection_id: str) -> str:
        return hmac.new(key, b"reconnect:" + connection_id.encode(), hashlib.sha256).hexdigest()

    def _is_ours(self, netloc: str, host: str) -> bool:
        return netloc.lower() in (self._netloc, host.lower())

    def _claims(self, token: str) -> dict[str, Any]:
        """Claims of a token that one of the keys signed and that is valid now.

        The SDKs send the same token for a second or longer, so verified ones are remembered.
        """
        known = self._verified.get(token)
        if known is not None and known["exp"] > time.time():
            return known
        claims = self._verify(token)
        if len(self._verified) >= _REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[token] = claims
        return claims

    def _verify(self, token: str) -> dict[str, Any]:
        reason = "no key"
        for key in self._keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    options=_CHECKS,
                )
            except jwt.InvalidSignatureError:
                reason = "the signature is not ours"
            except jwt.InvalidTokenError as error:
                raise AccessDenied(str(error)) from error
            else:
                return {**claims, "exp": int(claims["exp"])}
        raise AccessDenied(reason)


def claim_list(claims: dict[str, Any], name: str) -> list[str]:
    """A claim that may be absent, one text or a list of texts."""
    value = claims.get(name)
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    return [str(each) for each in values]


def _audiences(claims: dict[str, Any]) -> list[str]:
    return claim_list(claims, "aud")
