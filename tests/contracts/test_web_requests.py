"""A request reaches the public internet only, by the address that was looked at, within its time and size."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.adapters.safe_http.transport import SafeTransport
from shared.adapters.safe_http.web import SafeWeb, check_address
from shared.domain.errors import InvalidRequest
from shared.ports.web_requests import WebAnswer, WebError, WebRequest

HOST = "hook.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: 1\r\n\r\nok"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers every request with the same bytes; `asked`: what came, `names`: whom TLS was asked for."""

    def __init__(self, reply: bytes = OK, *, hangs: bool = False) -> None:
        self.reply, self.hangs = reply, hangs
        self.asked: list[bytes] = []
        self.names: list[str | None] = []
        self.port = 0
        self.url = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                self.asked.append(head + (await reader.readexactly(length)))
                if self.hangs:
                    await reader.read()
                writer.write(self.reply)
                await writer.drain()
                if b"Content-Length" not in self.reply:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(server: Server, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{server.port}/hook?a=1"
    yield server
    listening.close()


@pytest.fixture
async def web() -> AsyncIterator[SafeWeb]:
    web = SafeWeb(loopback=True)
    yield web
    await web.aclose()


def certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def refused(web: SafeWeb, url: str, **how: float) -> str:
    with pytest.raises(WebError) as caught:
        await web.send(WebRequest("POST", url, body=b"{}", **how))  # type: ignore[arg-type]
    return caught.value.code


async def test_an_answer(web: SafeWeb) -> None:
    async with serving(Server()) as server:
        asked = WebRequest("POST", server.url, {"X-Mine": "yes"}, b'{"a":1}')
        assert await web.send(asked) == WebAnswer(200, {"content-length": "2", "x-seen": "1"}, b"ok")
    head = server.asked[0].lower()
    assert head.startswith(b"post /hook?a=1 http/1.1\r\n")
    assert b"x-mine: yes" in head
    assert b"accept-encoding: identity" in head
    assert f"host: 127.0.0.1:{server.port}".encode() in head
    assert head.endswith(b'{"a":1}')


async def test_a_connection_is_used_again_and_keeps_no_cookies(web: SafeWeb) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: who=me\r\n\r\n"
    async with serving(Server(reply)) as server:
        for _ in range(2):
            await web.send(WebRequest("GET", server.url))
        assert b"cookie" not in server.asked[1].lower()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirection_is_not_followed(web: SafeWeb, status: int) -> None:
    reply = f"HTTP/1.1 {status} Gone\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/\r\n\r\n".encode()
    async with serving(Server(reply)) as server:
        assert (await web.send(WebRequest("GET", server.url))).status == status


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/",
        "https://user:pass@hook.example/",
        "https:///path",
        "ftp://hook.example/",
        "file:///etc/passwd",
        "hook.example",
        "https://hook.example/#fragment",
        "https://hook.example:0/",
        "https://hook.example:99999/",
        "https://hook.example/ a",
        "https://hook.example/\r\nX: 1",
        "https://" + "a" * 2_000,
    ],
)
async def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(InvalidRequest):
        check_address(url)
    assert await refused(SafeWeb(), url) == "web_address"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "127.1", "169.254.169.254"],
)
async def test_this_machine_is_not_called_where_that_is_not_allowed(host: str) -> None:
    async with serving(Server()) as server:
        web = SafeWeb()
        assert await refused(web, f"https://{host}:{server.port}/") in ("web_address", "web_unreachable")
        assert not server.asked
        await web.aclose()


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"], ["::ffff:a00:1"]])
async def test_a_name_with_any_address_that_is_not_public_is_refused(addresses: list[str]) -> None:
    web = SafeWeb(make=lambda: SafeTransport(resolve=resolving(*addresses)))
    assert await refused(web, f"https://{HOST}/") == "web_address"


async def test_a_name_without_an_address() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError

    assert (
        await refused(SafeWeb(make=lambda: SafeTransport(resolve=unknown)), f"https://{HOST}/") == "web_unreachable"
    )
    empty = SafeWeb(make=lambda: SafeTransport(resolve=resolving()))
    assert await refused(empty, f"https://{HOST}/") == "web_unreachable"


async def test_http_goes_to_this_machine_alone_even_where_that_may_be_called() -> None:
    web = SafeWeb(loopback=True, make=lambda: SafeTransport(loopback=True, resolve=resolving("8.8.8.8")))
    assert await refused(web, "http://localhost/") == "web_address"
    assert await refused(web, f"http://{HOST}/") == "web_address"


async def test_tls_goes_by_the_name_and_the_connection_by_the_address(tmp_path: Path) -> None:
    path = certificate(tmp_path, HOST)
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.sni_callback = lambda _socket, name, _context: server.names.append(name)
    trust = ssl.create_default_context(cafile=str(path))
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    web = SafeWeb(make=lambda: SafeTransport(loopback=True, trust=trust, resolve=resolve))
    async with serving(server, context):
        assert (await web.send(WebRequest("GET", f"https://{HOST}:{server.port}/"))).is_success
        assert await refused(web, f"https://other.example:{server.port}/") == "web_unreachable"
        await web.aclose()
    assert asked == [HOST, "other.example"]  # once a request
    assert server.names[0] == HOST
    assert f"host: {HOST}:{server.port}".encode() in server.asked[0].lower()
    assert len(server.asked) == 1


async def test_an_answer_that_is_too_large(web: SafeWeb) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"x" * 20
    async with serving(Server(reply)) as server:
        assert await refused(web, server.url, most_bytes=19) == "web_too_large"
        cut = await web.send(WebRequest("GET", server.url, most_bytes=19, cuts=True))
        assert cut.body == b"x" * 19


async def test_nothing_is_unpacked(web: SafeWeb) -> None:
    packed = gzip.compress(b"0" * 100_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    async with serving(Server(head.encode() + packed)) as server:
        assert await refused(web, server.url) == "web_broken"


async def test_an_answer_that_never_comes(web: SafeWeb) -> None:
    async with serving(Server(hangs=True)) as server:
        assert await refused(web, server.url, deadline_s=0.2) == "web_late"


async def test_an_answer_that_breaks_off(web: SafeWeb) -> None:
    async with serving(Server(b"HTTP/1.1 200 OK\r\nX: 9\r\nContent-Length")) as server:
        server.reply = b"HTTP/1.1 20"
        assert await refused(web, server.url) == "web_broken"


async def test_nobody_there(web: SafeWeb) -> None:
    async with serving(Server()) as server:
        url = server.url
    with pytest.raises(WebError) as caught:
        await web.send(WebRequest("GET", url))
    assert (caught.value.code, caught.value.was_sent, caught.value.retryable) == ("web_unreachable", False, True)
