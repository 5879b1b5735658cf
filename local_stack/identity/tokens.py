"""The token endpoint: turns a code, a refresh token or an application's secret into tokens.

Source: https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

from __future__ import annotations

import base64
import binascii
import time
from urllib.parse import unquote

from aiohttp import web

from local_stack.identity.directory import Directory
from local_stack.identity.grants import (
    CodeBook,
    Grant,
    GrantError,
    audience_of,
    authenticate_client,
    make_refresh_token,
    read_refresh_token,
)
from local_stack.identity.key_ring import KeyRing
from local_stack.identity.profiles import ACCESS_SECONDS, Profile

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenEndpoint:
    """Handles POST of the token endpoint."""

    def __init__(self, directory: Directory, codes: CodeBook, keys: KeyRing) -> None:
        self._directory = directory
        self._codes = codes
        self._keys = keys

    async def handle(self, request: web.Request, profile: Profile) -> web.Response:
        """Return tokens as JSON, or the refusal in the words of OAuth."""
        form = await request.post()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        try:
            client_id, secret = _credentials(request.headers.get("Authorization", ""), fields)
            answer = self._answer(profile, fields, client_id, secret)
        except GrantError as problem:
            body = {"error": problem.code, "error_description": str(problem)}
            return web.json_response(body, status=problem.status, headers=_NO_STORE)
        return web.json_response(answer, headers=_NO_STORE)

    def _answer(
        self, profile: Profile, fields: dict[str, str], client_id: str, secret: str | None
    ) -> dict[str, object]:
        kind = fields.get("grant_type", "")
        if kind == "client_credentials":
            return self._for_daemon(profile, fields, client_id, secret)
        client = authenticate_client(self._directory, client_id, secret)
        if kind == "authorization_code":
            grant = self._codes.redeem(
                fields.get("code", ""),
                authority=profile.path,
                client=client,
                redirect_uri=fields.get("redirect_uri", ""),
                verifier=fields.get("code_verifier", ""),
                now=time.monotonic(),
            )
        elif kind == "refresh_token":
            token = fields.get("refresh_token", "")
            grant = read_refresh_token(token, self._keys.refresh_secret, authority=profile.path, client=client)
        else:
            raise GrantError("unsupported_grant_type", "grant_type is not supported")
        return self._for_user(profile, grant)

    def _for_user(self, profile: Profile, grant: Grant) -> dict[str, object]:
        user = self._directory.users.get(grant.login)
        client = self._directory.clients[grant.client_id]
        if user is None:
            raise GrantError("invalid_grant", "the person no longer exists")
        now = int(time.time())
        answer: dict[str, object] = {"token_type": "Bearer", "expires_in": ACCESS_SECONDS}
        api, scopes = self._directory.granted_scopes(list(grant.scopes))
        if api is not None:
            claims = profile.access_claims(user, client, api, scopes, now)
            answer["access_token"] = self._keys.sign(claims)
            answer["scope"] = " ".join(f"{api.audience}/{scope}" for scope in scopes)
        answer["id_token"] = self._keys.sign(profile.id_claims(user, client, grant.nonce, now))
        if "offline_access" in grant.scopes:
            answer["refresh_token"] = make_refresh_token(grant, self._keys.refresh_secret, now)
        return answer

    def _for_daemon(
        self, profile: Profile, fields: dict[str, str], client_id: str, secret: str | None
    ) -> dict[str, object]:
        client = authenticate_client(self._directory, client_id, secret, must_have_secret=True)
        audience = audience_of(fields.get("scope", "").split(), profile)
        claims = profile.daemon_claims(client, audience, int(time.time()))
        return {
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "access_token": self._keys.sign(claims),
        }


def _credentials(header: str, fields: dict[str, str]) -> tuple[str, str | None]:
    """Return (client id, secret) from the form or from HTTP basic authentication."""
    if header.lower().startswith("basic "):
        try:
            text = base64.b64decode(header[6:], validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as problem:
            raise GrantError("invalid_client", "the authorization header is malformed", 401) from problem
        client_id, _, secret = text.partition(":")
        return unquote(client_id), unquote(secret)
    return fields.get("client_id", ""), fields.get("client_secret")
