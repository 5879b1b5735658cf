"""A running issuer inside the test's loop, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp.test_utils import TestClient, TestServer

from local_stack.identity import service
from local_stack.identity.directory import Directory, read_directory
from local_stack.identity.key_ring import KeyRing

SECRET = "the-secret-of-the-tests"
B2C = "/b2c/voice.onmicrosoft.com/b2c_1_signin"
CIAM = "/ciam/voice"
ENTRA = "/entra/5f0c2f1e-0b2c-4000-8000-0000000000e1"
CONFIG = Path(service.__file__).with_name("config.json")


@dataclass
class Rig:
    """The issuer under test."""

    http: TestClient[Any, Any]
    base_url: str
    directory: Directory
    keys: KeyRing

    async def metadata(self, authority: str) -> dict[str, Any]:
        answer = await self.http.get(f"{authority}/v2.0/.well-known/openid-configuration")
        assert answer.status == 200
        document: dict[str, Any] = await answer.json()
        return document

    async def decode(self, token: str, authority: str, audience: str) -> dict[str, Any]:
        """Check a token as a careful validator does: keys and issuer from the metadata document."""
        document = await self.metadata(authority)
        keys = await (await self.http.get(document["jwks_uri"].removeprefix(self.base_url))).json()
        kid = jwt.get_unverified_header(token)["kid"]
        key = next(each for each in jwt.PyJWKSet.from_dict(keys).keys if each.key_id == kid)
        options: Any = {"require": ["exp", "nbf", "iat", "iss", "aud", "sub"]}
        return jwt.decode(
            token, key.key, algorithms=["RS256"], audience=audience, issuer=document["issuer"], options=options
        )


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setenv("LOCAL_IDENTITY_CLIENT_SECRET", SECRET)
    directory = read_directory(CONFIG)
    keys = KeyRing(tmp_path)
    keys.open()
    server = TestServer(service.Issuer(directory, keys, "http://localhost:7082", SECRET).application())
    async with TestClient(server) as client:
        yield Rig(client, "http://localhost:7082", directory, keys)
