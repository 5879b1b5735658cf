"""The issuer as a web application: which address leads to which part of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import jwt
from aiohttp import web

from local_stack.identity.directory import Directory
from local_stack.identity.grants import CodeBook
from local_stack.identity.key_ring import KeyRing
from local_stack.identity.profiles import Profile, build_profiles
from local_stack.identity.sign_in import SignIn
from local_stack.identity.tokens import TokenEndpoint
from local_stack.identity.workshop import Workshop

_BODY_AT_MOST_BYTES = 64 * 1024
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Issuer:
    """All authorities of one directory behind one address."""

    def __init__(self, directory: Directory, keys: KeyRing, base_url: str, secret: str) -> None:
        self._directory = directory
        self._keys = keys
        self._base_url = base_url
        self._profiles = build_profiles(directory, base_url)
        codes = CodeBook()
        self._sign_in = SignIn(directory, codes)
        self._tokens = TokenEndpoint(directory, codes, keys)
        self._workshop = Workshop(directory, keys, self._profiles, secret)

    def application(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=_BODY_AT_MOST_BYTES, middlewares=[self._cors])
        authority = "/{kind:b2c|ciam|entra}/{rest:.+?}"
        app.router.add_get("/health", self._health)
        app.router.add_post("/_local/mint", self._workshop.mint)
        app.router.add_post("/_local/rotate", self._workshop.rotate)
        app.router.add_get(f"{authority}/v2.0/.well-known/openid-configuration", self._discovery)
        app.router.add_get(f"{authority}/discovery/v2.0/keys", self._jwks)
        app.router.add_get(f"{authority}/oauth2/v2.0/authorize", self._authorize)
        app.router.add_post(f"{authority}/oauth2/v2.0/authorize", self._authorize)
        app.router.add_post(f"{authority}/oauth2/v2.0/token", self._token)
        app.router.add_get(f"{authority}/oauth2/v2.0/logout", self._logout)
        app.router.add_get(f"{authority}/openid/v2.0/userinfo", self._userinfo)
        return app

    def _profile(self, request: web.Request) -> Profile:
        # Tenants and user flows are the same in any case of their letters.
        path = f"/{request.match_info['kind']}/{request.match_info['rest']}".lower()
        profile = self._profiles.get(path)
        if profile is None:
            raise web.HTTPNotFound(text="no such tenant or user flow\n")
        return profile

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "authorities": list(self._profiles)})

    async def _discovery(self, request: web.Request) -> web.Response:
        return web.json_response(self._profile(request).discovery(self._base_url))

    async def _jwks(self, request: web.Request) -> web.Response:
        self._profile(request)
        return web.json_response(self._keys.jwks())

    async def _authorize(self, request: web.Request) -> web.Response:
        return await self._sign_in.handle(request, self._profile(request).path)

    async def _token(self, request: web.Request) -> web.Response:
        return await self._tokens.handle(request, self._profile(request))

    async def _logout(self, request: web.Request) -> web.Response:
        self._profile(request)
        address = request.query.get("post_logout_redirect_uri", "")
        registered = {uri for client in self._directory.clients.values() for uri in client.redirect_uris}
        if not address:
            return web.Response(text="You are signed out.\n")
        if address not in registered:
            return web.Response(status=400, text="post_logout_redirect_uri is not registered\n")
        return web.Response(status=302, headers={"Location": address})

    async def _userinfo(self, request: web.Request) -> web.Response:
        profile = self._profile(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        audiences = [api.audience for api in self._directory.apis]
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            keys = jwt.PyJWKSet.from_dict(dict(self._keys.jwks()))
            key = next((each for each in keys.keys if each.key_id == kid), None)
            if key is None:
                raise jwt.InvalidTokenError("the key is unknown")
            claims = jwt.decode(token, key.key, algorithms=["RS256"], audience=audiences, issuer=profile.issuer)
        except jwt.PyJWTError as problem:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return web.json_response({"error": str(problem)}, status=401, headers=headers)
        names = ("sub", "name", "emails", "preferred_username")
        return web.json_response({name: claims[name] for name in names if name in claims})

    @web.middleware
    async def _cors(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        known = origin in self._directory.allowed_origins()
        if request.method == "OPTIONS" and known:
            headers = {
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", ""),
                "Access-Control-Max-Age": "600",
            }
            response: web.StreamResponse = web.Response(status=204, headers=headers)
        else:
            response = await handler(request)
        if known:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
        return response


@web.middleware
async def access_log(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Write one line per request, without query strings: they carry codes."""
    started = time.monotonic()
    response = await handler(request)
    took_ms = (time.monotonic() - started) * 1000
    request.app.logger.info("%s %s %d %.0f ms", request.method, request.path, response.status, took_ms)
    return response
