"""Signs a script in as a person: the authorization code flow with PKCE, without a browser."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlencode, urlsplit

from local_stack.identity.directory import read_directory

CLIENT_ID = "voice-agent-scripts"
REDIRECT_URI = "http://localhost/scripts"
_AUTHORITY = "/b2c/voice.onmicrosoft.com/b2c_1_signin"
_SCOPES = "openid voice-agent-api/talk voice-agent-api/calls.read voice-agent-api/calls.write"
_DEADLINE_SECONDS = 10
_CONFIG = Path(__file__).with_name("config.json")


class SignInFailed(Exception):
    """The issuer is not there or refuses; the text is one line."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - the base class says so
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def access_token(base_url: str, *, role: str, login: str | None = None, authority: str = _AUTHORITY) -> str:
    """Return an access token for a person with `role` (or for `login`).

    Raises:
        SignInFailed: the issuer cannot be reached, or says no.
    """
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    state = secrets.token_urlsafe(12)
    asked = {
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": _SCOPES,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
        "login": login or _person_with(role),
    }
    location = _post(f"{base_url}{authority}/oauth2/v2.0/authorize", asked).get("location", "")
    answer = parse_qs(urlsplit(location).query)
    if "code" not in answer or answer.get("state") != [state]:
        raise SignInFailed(f"the issuer refused: {answer.get('error_description', ['no code came back'])[0]}")
    tokens = _post(
        f"{base_url}{authority}/oauth2/v2.0/token",
        {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": answer["code"][0],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
        },
    )
    return tokens["access_token"]


def _person_with(role: str) -> str:
    users = read_directory(_CONFIG).users.values()
    exact = [user.login for user in users if user.roles[:1] == (role,)]
    if not exact:
        raise SignInFailed(f"nobody has the role {role}")
    return exact[0]


def _post(address: str, fields: dict[str, str]) -> dict[str, str]:
    """Post a form; return the JSON of the answer, or the address of a redirect as `location`."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    request = urllib.request.Request(address, data=urlencode(fields).encode("ascii"))  # noqa: S310
    try:
        with opener.open(request, timeout=_DEADLINE_SECONDS) as response:
            document: dict[str, str] = json.load(response)
            return document
    except urllib.error.HTTPError as answer:
        if answer.code == 302:
            return {"location": answer.headers["Location"]}
        text = answer.read(400).decode("utf-8", "replace").strip()
        raise SignInFailed(f"the issuer answered {answer.code}: {text}") from answer
    except OSError as problem:
        raise SignInFailed(f"the issuer at {base_of(address)} cannot be reached: {problem}") from problem


def base_of(address: str) -> str:
    """Return scheme and host of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
