"""Authorization codes and refresh tokens: what was granted to whom, for how long, and only once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import jwt

from local_stack.identity.directory import Client, Directory
from local_stack.identity.profiles import REFRESH_SECONDS, Profile

CODE_SECONDS = 300
_CODES_AT_MOST = 1000


class GrantError(Exception):
    """A refusal in the words of OAuth: `code` is the error code, the text its description."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Grant:
    """What a person agreed to when signing in."""

    authority: str
    client_id: str
    login: str
    scopes: tuple[str, ...]
    nonce: str | None = None


@dataclass(frozen=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str
    expires_at: float


class CodeBook:
    """The authorization codes in flight."""

    def __init__(self) -> None:
        self._codes: dict[str, _Code] = {}

    def issue(self, grant: Grant, redirect_uri: str, challenge: str, now: float) -> str:
        """Return a code that is good once, for `CODE_SECONDS`, for the holder of the verifier."""
        for old in [each for each, code in self._codes.items() if code.expires_at < now]:
            del self._codes[old]
        if len(self._codes) >= _CODES_AT_MOST:
            raise GrantError("temporarily_unavailable", "too many sign-ins are under way", 503)
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(grant, redirect_uri, challenge, now + CODE_SECONDS)
        return code

    def redeem(
        self, code: str, *, authority: str, client: Client, redirect_uri: str, verifier: str, now: float
    ) -> Grant:
        """Return what the code stands for and forget it.

        Raises:
            GrantError: unknown, used, too old, of another client or address, or with a wrong verifier.
        """
        entry = self._codes.pop(code, None)
        if entry is None or entry.expires_at < now:
            raise GrantError("invalid_grant", "the code is unknown, used or too old")
        if (entry.grant.client_id, entry.grant.authority) != (client.client_id, authority):
            raise GrantError("invalid_grant", "the code was given to another client")
        if entry.redirect_uri != redirect_uri:
            raise GrantError("invalid_grant", "redirect_uri is not the one of the sign-in")
        if not entry.challenge and client.secret is not None:
            return entry.grant
        if not hmac.compare_digest(_challenge(verifier), entry.challenge):
            raise GrantError("invalid_grant", "code_verifier does not match the challenge")
        return entry.grant


def make_refresh_token(grant: Grant, secret: str, now: int) -> str:
    """Return a refresh token that survives a restart of the issuer."""
    claims = {
        "exp": now + REFRESH_SECONDS,
        "authority": grant.authority,
        "client_id": grant.client_id,
        "login": grant.login,
        "scopes": list(grant.scopes),
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def read_refresh_token(token: str, secret: str, *, authority: str, client: Client) -> Grant:
    """Return what the token stands for.

    Raises:
        GrantError: not ours, too old, or of another client.
    """
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"])
    except jwt.PyJWTError as problem:
        raise GrantError("invalid_grant", "the refresh token is unknown or too old") from problem
    if (claims["client_id"], claims["authority"]) != (client.client_id, authority):
        raise GrantError("invalid_grant", "the refresh token was given to another client")
    return Grant(authority, client.client_id, claims["login"], tuple(claims["scopes"]))


def authenticate_client(
    directory: Directory, client_id: str, secret: str | None, *, must_have_secret: bool = False
) -> Client:
    """Return the application that speaks.

    Raises:
        GrantError: unknown, or its secret is wrong or missing.
    """
    client = directory.clients.get(client_id)
    if client is None:
        raise GrantError("invalid_client", "client_id is unknown", 401)
    if client.secret is None:
        if must_have_secret:
            raise GrantError("unauthorized_client", "this client has no secret", 401)
        return client
    if not hmac.compare_digest((secret or "").encode(), client.secret.encode()):
        raise GrantError("invalid_client", "client_secret is wrong or missing", 401)
    return client


def audience_of(scopes: list[str], profile: Profile) -> str:
    """Return the resource that an application asks for with `RESOURCE/.default`."""
    if len(scopes) != 1 or not scopes[0].endswith("/.default"):
        raise GrantError("invalid_scope", f"{profile.kind}: scope has to be RESOURCE/.default")
    return scopes[0].removesuffix("/.default").removeprefix("api://")


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("utf-8")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
