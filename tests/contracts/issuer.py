"""A small OpenID Connect issuer over HTTP with real RSA keys, which can rotate them, hang and fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

AUDIENCE = "voice-agent-api"
POLICY = "B2C_1_signin"
TENANT_GUID = "5f0c2f1e-0b2c-4000-8000-0000000000c1"


@cache
def private_key(name: str) -> RSAPrivateKey:
    """An RSA key that is the same for the same name within a run; `name` may end in a size: `weak-1024`."""
    size = int(name.rsplit("-", maxsplit=1)[-1]) if name[-1].isdigit() and "-" in name else 2048
    return generate_private_key(65_537, size)


class Issuer:
    """`key_names` are published, each under its name as `kid`; the first one signs."""

    def __init__(self) -> None:
        self.key_names = ["key-a"]
        self.base_url = ""
        self.issuer = ""
        self.document: dict[str, Any] = {}
        self.extra_keys: list[dict[str, Any]] = []
        self.status = 200
        self.open = asyncio.Event()
        self.open.set()
        self.questions: list[str] = []

    @property
    def metadata_url(self) -> str:
        policy = POLICY.lower()
        return f"{self.base_url}/voice.onmicrosoft.com/{policy}/v2.0/.well-known/openid-configuration"

    @property
    def plain_metadata_url(self) -> str:
        return f"{self.base_url}/plain/.well-known/openid-configuration"

    def key_questions(self) -> int:
        """How often the keys were asked for."""
        return sum(path.endswith("/keys") for path in self.questions)

    def token(
        self,
        *,
        key: str | None = None,
        header: dict[str, Any] | None = None,
        without: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        """A user's access token as B2C makes it, with `claims` put in or over and `without` left out."""
        now = int(time.time())
        key = key or self.key_names[0]
        body = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "person-1",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "tfp": POLICY,
            "azp": "talk-page",
            "scp": "talk",
            "extension_Roles": "caller,operator",
            "extension_TenantId": "acme",
            **claims,
        }
        body = {name: value for name, value in body.items() if name not in without}
        return jwt.encode(body, private_key(key), algorithm="RS256", headers={"kid": key, **(header or {})})

    def daemon_token(self, **changes: Any) -> str:
        claims = {"roles": ["operator"], "tenant_id": "acme", "sub": "service-1", "azp": "daemon", **changes}
        without = ("scp", "extension_Roles", "extension_TenantId", *changes.pop("without", ()))
        claims.pop("without", None)
        return self.token(without=without, **claims)

    async def answer(self, request: web.Request) -> web.Response:
        self.questions.append(request.path)
        await self.open.wait()
        if self.status != 200:
            return web.Response(status=self.status, headers={"Location": "/elsewhere/keys"})
        if request.path.endswith("/keys"):
            return web.json_response({"keys": [*self.extra_keys, *map(self._published, self.key_names)]})
        document = {"issuer": self.issuer, "jwks_uri": f"{self.base_url}/keys", **self.document}
        return web.json_response(document)

    @staticmethod
    def _published(name: str) -> dict[str, Any]:
        as_jwk = jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
        return {**as_jwk, "kid": name, "use": "sig", "alg": "RS256"}


@asynccontextmanager
async def running_issuer(port: int = 0) -> AsyncIterator[Issuer]:
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/{path:.*}", issuer.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    issuer.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    issuer.issuer = f"{issuer.base_url}/{TENANT_GUID}/v2.0/"
    try:
        yield issuer
    finally:
        issuer.open.set()
        await runner.cleanup()
