"""The authorize endpoint and its page: a person picks who to be, the code goes back to the application.

There are no passwords: whoever can reach this issuer may be anybody in its list.
Source: https://www.rfc-editor.org/rfc/rfc6749#section-4.1, https://www.rfc-editor.org/rfc/rfc7636
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from local_stack.identity.directory import Client, Directory
from local_stack.identity.grants import CodeBook, Grant, GrantError

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_MODES = {"query": "?", "fragment": "#"}
_KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:24rem;margin:12vh auto;padding:0 1rem}}
button{{display:block;width:100%;margin:.5rem 0;padding:.7rem;font:inherit;text-align:left;
border:1px solid #888;border-radius:.5rem;background:#fff;cursor:pointer}}small{{color:#555}}</style></head>
<body><h1>Sign in</h1><p>to <b>{client}</b>, on this machine only. Who are you?</p>
<form method="post">{hidden}{buttons}</form></body></html>
"""


@dataclass(frozen=True)
class _Request:
    client: Client
    redirect_uri: str
    mode: str
    state: str
    fields: dict[str, str]


class SignIn:
    """Handles GET (the page) and POST (the choice) of the authorize endpoint."""

    def __init__(self, directory: Directory, codes: CodeBook) -> None:
        self._directory = directory
        self._codes = codes

    async def handle(self, request: web.Request, authority: str) -> web.Response:
        """Return the page, or a redirect to the application with a code or an error."""
        fields = request.query if request.method == "GET" else await request.post()
        texts = {name: value for name, value in fields.items() if isinstance(value, str)}
        try:
            asked = self._read(texts)
        except GrantError as problem:
            # The address to answer to is not trusted, so nothing is sent there.
            return web.Response(status=400, text=f"{problem.code}: {problem}\n")
        try:
            self._check(asked)
            if request.method == "GET":
                if texts.get("prompt") == "none":
                    raise GrantError("login_required", "nobody is signed in")
                return self._page(asked, texts.get("login_hint", ""))
            code = self._grant(asked, texts.get("login", ""), authority)
        except GrantError as problem:
            return _back(asked, {"error": problem.code, "error_description": str(problem)})
        return _back(asked, {"code": code})

    def _read(self, fields: Mapping[str, str]) -> _Request:
        client = self._directory.clients.get(fields.get("client_id", ""))
        if client is None:
            raise GrantError("unauthorized_client", "client_id is unknown")
        redirect_uri = fields.get("redirect_uri", "")
        if redirect_uri not in client.redirect_uris:
            raise GrantError("invalid_request", "redirect_uri is not registered for this client")
        kept = {name: fields[name] for name in _KEPT if name in fields}
        mode = fields.get("response_mode", "query")
        return _Request(client, redirect_uri, mode, fields.get("state", ""), kept)

    def _check(self, asked: _Request) -> None:
        if asked.mode not in _MODES:
            raise GrantError("invalid_request", "response_mode has to be query or fragment")
        if asked.fields.get("response_type") != "code":
            raise GrantError("unsupported_response_type", "response_type has to be code")
        challenge = asked.fields.get("code_challenge", "")
        if asked.client.secret is None or challenge:
            if asked.fields.get("code_challenge_method") != "S256":
                raise GrantError("invalid_request", "code_challenge_method has to be S256")
            if not _CHALLENGE.fullmatch(challenge):
                raise GrantError("invalid_request", "code_challenge is missing or malformed")
        if "openid" not in asked.fields.get("scope", "").split():
            raise GrantError("invalid_scope", "scope has to contain openid")

    def _grant(self, asked: _Request, login: str, authority: str) -> str:
        if login not in self._directory.users:
            raise GrantError("access_denied", "nobody of that name")
        fields = asked.fields
        grant = Grant(authority, asked.client.client_id, login, tuple(fields["scope"].split()), fields.get("nonce"))
        challenge = fields.get("code_challenge", "")
        return self._codes.issue(grant, asked.redirect_uri, challenge, time.monotonic())

    def _page(self, asked: _Request, hint: str) -> web.Response:
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in asked.fields.items()
        )
        users = sorted(self._directory.users.values(), key=lambda user: hint not in (user.login, user.email))
        buttons = "".join(
            f'<button name="login" value="{escape(user.login)}">{escape(user.name)}<br>'
            f"<small>{escape(user.email)}: {escape(', '.join(user.roles))}</small></button>"
            for user in users
        )
        page = _PAGE.format(client=escape(asked.client.name), hidden=hidden, buttons=buttons)
        headers = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"}
        return web.Response(text=page, content_type="text/html", headers=headers)


def _back(asked: _Request, answer: dict[str, str]) -> web.Response:
    if asked.state:
        answer["state"] = asked.state
    mark = _MODES.get(asked.mode, "?")
    joint = "&" if mark == "?" and "?" in asked.redirect_uri else mark
    return web.Response(status=302, headers={"Location": f"{asked.redirect_uri}{joint}{urlencode(answer)}"})
