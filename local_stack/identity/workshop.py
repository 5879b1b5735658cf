"""Tools for tests of validators: tokens with one thing wrong, and new signing keys on demand."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace

import jwt
from aiohttp import web

from local_stack.identity.directory import Directory
from local_stack.identity.key_ring import KeyRing, SigningKey, make_key, sign
from local_stack.identity.profiles import Claims, Profile

_HOUR = 3600


class Workshop:
    """Handles `/_local/mint` and `/_local/rotate`; both want the client secret as bearer."""

    def __init__(self, directory: Directory, keys: KeyRing, profiles: dict[str, Profile], secret: str) -> None:
        self._directory = directory
        self._keys = keys
        self._profiles = profiles
        self._secret = secret

    async def mint(self, request: web.Request) -> web.Response:
        """Return `{"token": …}` for `{"authority", "login", "kind", "claims", "remove", "defect"}`.

        `authority` is the path of the authority's endpoints, `kind` is access, id or daemon, `claims` are
        laid over the usual ones, `remove` names claims to leave out, `defect` is one of `DEFECTS`.
        """
        if not self._allowed(request):
            return web.json_response({"error": "the client secret is wanted as bearer"}, status=401)
        try:
            wish = await request.json()
            token = self._mint(wish)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return web.json_response({"error": f"cannot mint that: {problem}"}, status=400)
        return web.json_response({"token": token})

    async def rotate(self, request: web.Request) -> web.Response:
        """Sign with a new key; `?retire=true` stops publishing the old ones."""
        if not self._allowed(request):
            return web.json_response({"error": "the client secret is wanted as bearer"}, status=401)
        return web.json_response({"kid": self._keys.rotate(retire=request.query.get("retire") == "true")})

    def _allowed(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return bool(self._secret) and hmac.compare_digest(given.encode(), self._secret.encode())

    def _mint(self, wish: dict[str, object]) -> str:
        profile = self._profiles[str(wish.get("authority", _first_b2c(self._profiles))).lower()]
        claims = self._usual_claims(profile, wish)
        overlay = wish.get("claims", {})
        if not isinstance(overlay, dict):
            raise TypeError("claims has to be an object")
        claims |= overlay
        unwanted = wish.get("remove", [])
        if not isinstance(unwanted, list):
            raise TypeError("remove has to be a list")
        for name in unwanted:
            claims.pop(str(name), None)
        defect = str(wish.get("defect", "none"))
        return self._with_defect(claims, defect)

    def _usual_claims(self, profile: Profile, wish: dict[str, object]) -> Claims:
        now = int(time.time())
        kind = wish.get("kind", "access")
        clients = self._directory.clients
        if kind == "daemon":
            client = next(each for each in clients.values() if each.object_id)
            client = clients[str(wish.get("client_id", client.client_id))]
            return profile.daemon_claims(client, self._directory.apis[0].audience, now)
        user = self._directory.users[str(wish.get("login", next(iter(self._directory.users))))]
        client = clients[str(wish.get("client_id", next(iter(clients))))]
        if kind == "id":
            return profile.id_claims(user, client, None, now)
        if kind != "access":
            raise ValueError(f"kind {kind!r} is not access, id or daemon")
        api = self._directory.apis[0]
        return profile.access_claims(user, client, api, list(api.scopes), now)

    def _with_defect(self, claims: Claims, defect: str) -> str:
        key = self._keys.current
        if defect in _CLAIM_DEFECTS:
            return sign(claims | _CLAIM_DEFECTS[defect](int(time.time())), key)
        if defect in _SIGNATURE_DEFECTS:
            return _SIGNATURE_DEFECTS[defect](claims, key)
        raise ValueError(f"defect {defect!r} is not one of {', '.join(DEFECTS)}")


def _part(document: Claims | dict[str, str]) -> str:
    return _base64url(json.dumps(document).encode("utf-8"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _with_other_signature(claims: Claims, key: SigningKey) -> str:
    head, body, signature = sign(claims, key).split(".")
    return ".".join([head, body, ("B" if signature[0] == "A" else "A") + signature[1:]])


def _unsigned(claims: Claims, key: SigningKey) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': key.kid})}.{_part(claims)}."


def _signed_with_public_key(claims: Claims, key: SigningKey) -> str:
    """Return a token that takes the public key for a shared secret; PyJWT refuses to make one."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': key.kid})}.{_part(claims)}"
    return f"{signed}.{_base64url(hmac.digest(key.public_pem(), signed.encode('ascii'), 'sha256'))}"


_CLAIM_DEFECTS: dict[str, Callable[[int], Claims]] = {
    "expired": lambda now: {"iat": now - 2 * _HOUR, "nbf": now - 2 * _HOUR, "exp": now - _HOUR},
    "not_yet_valid": lambda now: {"nbf": now + _HOUR, "exp": now + 2 * _HOUR},
    "wrong_audience": lambda _now: {"aud": "somebody-else"},
    "wrong_issuer": lambda _now: {"iss": "https://issuer.example/v2.0/"},
}
_SIGNATURE_DEFECTS: dict[str, Callable[[Claims, SigningKey], str]] = {
    "none": sign,
    "unknown_kid": lambda claims, _key: sign(claims, make_key()),
    "foreign_key": lambda claims, key: sign(claims, replace(make_key(), kid=key.kid)),
    "bad_signature": _with_other_signature,
    "alg_none": _unsigned,
    "hs256": _signed_with_public_key,
    "no_kid": lambda claims, key: jwt.encode(claims, key.private, algorithm="RS256"),
}
DEFECTS = (*_SIGNATURE_DEFECTS, *_CLAIM_DEFECTS)


def _first_b2c(profiles: dict[str, Profile]) -> str:
    return next(path for path, profile in profiles.items() if profile.kind == "b2c")
