"""How we get into Redis: by password, as a user, over TLS, and by token of a managed identity, again and again."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import shared.adapters.redis.connection as connection_module
from shared.adapters.redis import wire
from shared.adapters.redis.connection import RedisConnection, connect
from shared.adapters.redis.entra import SignIn
from shared.adapters.redis.wire import pack
from shared.domain.errors import StoreError
from tests.services import running_redis

_OBJECT_ID = "0f3c7f9a-5a52-4be4-9d3a-0c5ad3a6f1f0"


@pytest.fixture(scope="module")
def locked_port(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """A server that lets nobody in by default; `known` knows it as an administrator."""
    with running_redis(tmp_path_factory.mktemp("redis") / "state") as url:
        with redis.Redis.from_url(url) as admin:
            admin.execute_command("ACL", "SETUSER", "admin", "on", ">a d/min", "~*", "&*", "+@all")
            admin.execute_command("ACL", "SETUSER", "default", "on", "resetpass", ">plain:word")
        yield int(url.rsplit(":", 1)[1].split("/")[0])


def known(port: int) -> redis.Redis:
    return redis.Redis(port=port, username="admin", password="a d/min", decode_responses=True)


async def whoami(connection: RedisConnection) -> str:
    return (await connection.ask("who", pack(("ACL", "WHOAMI")))).decode()


@asynccontextmanager
async def opened(url: str, **options: object) -> AsyncIterator[RedisConnection]:
    connection = connect(url, **options)  # type: ignore[arg-type]
    try:
        yield connection
    finally:
        await connection.aclose()


@pytest.mark.parametrize(
    ("sign_in", "user"), [(":plain%3Aword", "default"), ("admin:a%20d%2Fmin", "admin")], ids=["password", "user"]
)
async def test_by_what_the_url_says(locked_port: int, sign_in: str, user: str) -> None:
    async with opened(f"redis://{sign_in}@127.0.0.1:{locked_port}/3") as connection:
        assert await whoami(connection) == user
        await connection.ask("set", pack(("SET", "here", "1", "EX", 60)))
        with known(locked_port) as admin:
            (ours,) = [client for client in admin.client_list() if client["name"] == "voice-agent"]
            assert ours["db"] == "3"
            assert not admin.exists("here")


@pytest.mark.parametrize("sign_in", ["", ":wrong@", "nobody:wrong@"])
async def test_who_is_not_let_in_is_told(locked_port: int, sign_in: str) -> None:
    async with opened(f"redis://{sign_in}127.0.0.1:{locked_port}/0") as connection:
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"NOAUTH|WRONGPASS") as error:
            await connection.ask("x", pack(("PING",)))
        assert "wrong@" not in str(error.value)
        assert time.monotonic() - began < 2.0


@pytest.fixture
async def asked(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """The tokens that the identity endpoint gave out; the SDK asks for another twice a minute at most.

    Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
    """
    given: list[str] = []

    async def token(request: web.Request) -> web.Response:
        assert request.query["resource"] == "https://redis.azure.com"
        assert request.query["client_id"] == "identity-of-the-app"
        claims = base64.urlsafe_b64encode(json.dumps({"oid": _OBJECT_ID, "n": len(given)}).encode()).decode()
        given.append(f"header.{claims.rstrip('=')}.signature")
        expires = str(int(time.time()) + 200 + len(given))  # so near that another is due at once
        return web.json_response(
            {"access_token": given[-1], "expires_on": expires, "token_type": "Bearer", "resource": "x"}
        )

    app = web.Application()
    app.router.add_get("/msi/token", token)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    yield given
    await runner.cleanup()


async def test_by_token_again_before_it_expires(
    asked: list[str], locked_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_RENEW_AGAIN_S", 0.05)
    with known(locked_port) as admin:
        admin.execute_command("ACL", "SETUSER", _OBJECT_ID, "reset", "on", "nopass", "~*", "&*", "+@all")
        url = f"redis://127.0.0.1:{locked_port}/0"

        def sign_ins() -> int:
            return int(admin.info("commandstats").get("cmdstat_auth", {"calls": 0})["calls"])

        before = sign_ins()
        async with opened(url, entra=True, client_id="identity-of-the-app") as connection, asyncio.timeout(10):
            while sign_ins() < before + 2:
                assert await whoami(connection) == _OBJECT_ID
                await asyncio.sleep(0.02)
            assert len(set(asked)) == 2
            ours = [client for client in admin.client_list() if client["name"] == "voice-agent"]
            assert len(ours) == 1  # the same connection all the time


async def test_the_first_sign_in_may_take_longer_than_a_command(asked: list[str], locked_port: int) -> None:
    with known(locked_port) as admin:
        admin.execute_command("ACL", "SETUSER", _OBJECT_ID, "reset", "on", "nopass", "~*", "&*", "+@all")
    url = f"redis://127.0.0.1:{locked_port}/0"
    async with opened(url, entra=True, client_id="identity-of-the-app", deadline_s=0.2) as connection:
        assert connection._entra is not None
        quick = connection._entra.__call__

        async def slow() -> SignIn:
            await asyncio.sleep(0.5)
            return await quick()

        connection._entra = slow  # type: ignore[assignment]
        assert await whoami(connection) == _OBJECT_ID
        connection._entra = None


async def test_an_identity_that_gets_no_token_is_told_in_our_words(
    locked_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    monkeypatch.setattr(connection_module, "_FIRST_SIGN_IN_DEADLINE_S", 1.0)
    url = f"redis://127.0.0.1:{locked_port}/0"
    async with opened(url, entra=True, client_id="identity-of-the-app") as connection:
        began = time.monotonic()
        with pytest.raises(StoreError, match="redis_unavailable: read a call: sign in: ") as error:
            await connection.ask("read a call", pack(("PING",)))
        assert error.value.retryable
        assert time.monotonic() - began < 2.0


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's name, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return paths


@pytest.fixture
async def tls_port(locked_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The same server behind TLS, with a certificate for `localhost` that this machine trusts."""
    public, private = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    wire._tls.cache_clear()
    relays: set[asyncio.Task[None]] = set()

    async def relay(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", locked_port)
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            relays.add(asyncio.create_task(relay(source, sink)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for one in relays:
        one.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    wire._tls.cache_clear()


async def test_over_tls(tls_port: int) -> None:
    async with opened(f"rediss://admin:a%20d%2Fmin@localhost:{tls_port}") as connection:
        assert await whoami(connection) == "admin"
        sound = bytes(range(256)) * 2000
        await connection.ask("set", pack(("SET", "sound", sound, "EX", 60)))
        assert await connection.ask("get", pack(("GET", "sound"))) == sound


async def test_a_certificate_for_another_name_is_refused(tls_port: int) -> None:
    async with opened(f"rediss://admin:a%20d%2Fmin@127.0.0.1:{tls_port}") as connection:
        with pytest.raises(StoreError, match="SSLCertVerificationError"):
            await connection.ask("x", pack(("PING",)))
