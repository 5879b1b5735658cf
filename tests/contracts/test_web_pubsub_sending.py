"""The lean way out to Web PubSub asks for the same as the SDK does, signs in as it does, and never repeats itself."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from aiohttp import web
from azure.core.exceptions import ClientAuthenticationError

from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY, connection_string
from shared.adapters.web_pubsub import bearer
from shared.adapters.web_pubsub.bearer import AccessKeyBearer, IdentityBearer
from shared.adapters.web_pubsub.service import WebPubSubConnection, WebPubSubService
from shared.domain.errors import InvalidRequest, MediaError
from tests.contracts.speech_service import stub_service
from tests.contracts.tcp_proxy import tcp_proxy
from tests.services import free_port

_ODD_CONNECTION = "a b/ö?#%41"


@dataclass
class Recorder:
    """A service that notes what it is asked, and answers with the next status, at last always the same."""

    statuses: list[int] = field(default_factory=lambda: [202])
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.bodies.append(await request.read())
        return web.Response(status=self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])

    def authorizations(self) -> list[str]:
        return [request.headers["Authorization"] for request in self.asked]


async def with_service(
    handler: Callable[[web.Request], Awaitable[web.Response]], use: Callable[[WebPubSubService], Awaitable[None]]
) -> None:
    async with stub_service(handler) as stub:
        service = WebPubSubService("clients", connection_string=connection_string(_port(stub.url)))
        await use(service)
        await service.aclose()


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def claims_of(request: web.Request) -> dict[str, Any]:
    token = request.headers["Authorization"].removeprefix("Bearer ")
    claims: dict[str, Any] = jwt.decode(
        token, LOCAL_ACCESS_KEY, algorithms=["HS256"], options={"verify_aud": False, "require": ["exp"]}
    )
    return claims


@pytest.mark.parametrize("connection_id", ["CONN-1", _ODD_CONNECTION])
@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
async def test_the_request_is_the_sdks(connection_id: str, content_type: str) -> None:
    recorder = Recorder()
    document = {"type": "clear"}

    async def use(service: WebPubSubService) -> None:
        message: Any = document if content_type == "application/json" else "clear"
        await service.client.send_to_connection(connection_id, message, content_type=content_type)
        connection = WebPubSubConnection(service, connection_id)
        if content_type == "application/json":
            await connection.send_json(document)
        else:
            await connection.send_text("clear")

    await with_service(recorder.answer, use)
    sdks, ours = recorder.asked
    assert (ours.method, ours.raw_path) == (sdks.method, sdks.raw_path)
    assert ours.headers["Content-Type"] == sdks.headers["Content-Type"]
    assert ours.headers["Host"] == sdks.headers["Host"]
    assert claims_of(ours)["aud"] == claims_of(sdks)["aud"]
    assert claims_of(ours)["exp"] == pytest.approx(claims_of(sdks)["exp"], abs=2)
    if content_type == "application/json":
        assert json.loads(recorder.bodies[1]) == json.loads(recorder.bodies[0]) == document
    else:
        assert recorder.bodies[1] == recorder.bodies[0]


async def test_text_of_any_language_arrives_as_it_is() -> None:
    recorder = Recorder()
    text = "Grüße, नमस्ते, 👋"

    async def use(service: WebPubSubService) -> None:
        await WebPubSubConnection(service, "conn").send_text(text)
        await WebPubSubConnection(service, "conn").send_json({"text": text})

    await with_service(recorder.answer, use)
    assert recorder.bodies[0].decode() == text
    assert json.loads(recorder.bodies[1]) == {"text": text}


async def test_pieces_of_one_connection_bear_one_token_over_one_connection() -> None:
    recorder = Recorder()
    async with stub_service(recorder.answer) as stub, tcp_proxy(_port(stub.url)) as proxy:
        service = WebPubSubService("clients", connection_string=connection_string(proxy.port))
        for connection_id in ("one", "one", "other", "one"):
            await service.send(connection_id, b"x", "text/plain")
        await service.aclose()
    first, again, other, last = recorder.authorizations()
    assert first == again == last != other
    assert proxy.connections == 1


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    recorder = Recorder()
    async with stub_service(recorder.answer) as stub, tcp_proxy(_port(stub.url)) as proxy:
        service = WebPubSubService("clients", connection_string=connection_string(proxy.port))
        await service.send("conn", b"1", "text/plain")
        proxy.cut()
        await asyncio.sleep(0.05)  # the end of the connection is on its way to us
        await service.send("conn", b"2", "text/plain")
        await service.aclose()
    assert recorder.bodies == [b"1", b"2"]


async def test_what_may_have_been_taken_is_not_sent_again() -> None:
    taken: list[bytes] = []

    async def dying(request: web.Request) -> web.Response:
        taken.append(await request.read())
        assert request.transport
        request.transport.abort()
        return web.Response(status=202)

    async def use(service: WebPubSubService) -> None:
        with pytest.raises(MediaError) as error:
            await service.send("conn", b"x", "text/plain")
        assert (error.value.code, error.value.retryable) == ("web_pubsub_unavailable", True)

    await with_service(dying, use)
    assert taken == [b"x"]


async def test_what_could_not_leave_is_tried_once_more() -> None:
    port = free_port()
    service = WebPubSubService("clients", connection_string=connection_string(port))
    sending = asyncio.create_task(service.send("conn", b"x", "text/plain"))
    await asyncio.sleep(0.03)
    recorder = Recorder()
    app = web.Application()
    app.router.add_post("/{path:.*}", recorder.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await sending
    assert recorder.bodies == [b"x"]
    await service.aclose()
    await runner.cleanup()


async def test_a_refused_token_is_not_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(statuses=[401, 202])
    later = time.time() + 2

    async def use(service: WebPubSubService) -> None:
        with pytest.raises(MediaError) as error:
            await service.send("conn", b"x", "text/plain")
        assert (error.value.code, error.value.retryable) == ("web_pubsub_refused", False)
        monkeypatch.setattr(bearer.time, "time", lambda: later)
        await service.send("conn", b"x", "text/plain")

    await with_service(recorder.answer, use)
    first, second = recorder.authorizations()
    assert first != second


async def test_tokens_by_key_are_renewed_in_time_and_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(bearer.time, "time", lambda: now)
    keys = AccessKeyBearer(LOCAL_ACCESS_KEY)
    first = await keys.authorization("http://one")
    now += 39
    assert await keys.authorization("http://one") == first
    now += 2
    assert await keys.authorization("http://one") != first
    for number in range(5000):
        await keys.authorization(f"http://{number}")
    assert len(keys._kept) <= 1024


@dataclass
class Token:
    token: str
    expires_on: int


class Identity:
    """Gives tokens of an hour, each after a turn of the loop; the next ones fail as told."""

    def __init__(self) -> None:
        self.scopes: list[tuple[str, ...]] = []
        self.errors: list[Exception] = []

    async def get_token(self, *scopes: str) -> Token:
        self.scopes.append(scopes)
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop()
        return Token(f"token-{len(self.scopes)}", int(bearer.time.time()) + 3600)


async def test_a_managed_identity_signs_in_once_for_all_and_again_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time()
    monkeypatch.setattr(bearer.time, "time", lambda: now)
    identity = Identity()
    signed = IdentityBearer(identity)
    headers = await asyncio.gather(*(signed.authorization(f"https://{number}") for number in range(5)))
    assert set(headers) == {"Bearer token-1"}
    assert identity.scopes == [("https://webpubsub.azure.com/.default",)]
    now += 3290
    assert await signed.authorization("https://x") == "Bearer token-1"
    now += 20
    assert await signed.authorization("https://x") == "Bearer token-2"
    signed.forget("https://x")
    assert await signed.authorization("https://x") == "Bearer token-3"


async def test_who_has_warmed_up_has_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = Identity()
    monkeypatch.setattr(WebPubSubService, "_credential", identity)
    recorder = Recorder()
    async with stub_service(recorder.answer) as stub:
        service = WebPubSubService("clients", endpoint=f"{stub.url}/")
        await service.warm_up()
        assert len(identity.scopes) == 1
        await service.send("conn", b"x", "text/plain")
        await service.aclose()
    assert recorder.authorizations() == ["Bearer token-1"]
    assert len(identity.scopes) == 1
    assert recorder.asked[0].path == "/api/hubs/clients/connections/conn/:send"


async def test_an_identity_that_gets_no_token_may_get_one_later() -> None:
    identity = Identity()
    identity.errors = [ClientAuthenticationError("no"), TimeoutError()]
    signed = IdentityBearer(identity)
    for _ in range(2):
        with pytest.raises(MediaError) as error:
            await signed.authorization("https://x")
        assert (error.value.code, error.value.retryable) == ("web_pubsub_unavailable", True)
    assert await signed.authorization("https://x") == "Bearer token-3"


@pytest.mark.parametrize("text", ["Endpoint=http://x", "AccessKey=abc", "nonsense", "Endpoint=;AccessKey=a"])
async def test_a_connection_string_that_lacks_something_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="connection string"):
        await WebPubSubService("clients", connection_string=text).send("conn", b"x", "text/plain")
