from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from local_stack.phones.events import EventLog
from local_stack.phones.twilio import twiml
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.signature import Signer, sign
from local_stack.phones.twilio.webhooks import WebhookSender

FIELDS = [("CallSid", "CA1"), ("FromCity", ""), ("To", "+1555")]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def sender_and_server(handler: Handler) -> AsyncIterator[tuple[WebhookSender, str, EventLog]]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    log = EventLog(lambda: 0.0)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield WebhookSender(session, Signer("12345"), log, timeout_s=0.3), str(server.make_url("/hook")), log


async def test_a_get_signs_the_fields_in_the_address() -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(text="<Response/>", content_type="application/xml")

    async with sender_and_server(handler) as (sender, url, _log):
        request = sender.prepare("voice", "GET", url + "?a=b%20c#rc=2", FIELDS)
        assert await sender.fetch_twiml(request) == []
    assert seen[0].raw_path == "/hook?a=b%20c&CallSid=CA1&FromCity=&To=%2B1555"
    assert request.url == url + "?a=b%20c&CallSid=CA1&FromCity=&To=%2B1555"
    assert seen[0].headers["X-Twilio-Signature"] == sign("12345", request.url)


async def test_no_answer_is_tried_once_more_with_the_same_idempotency_token() -> None:
    tokens: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        tokens.append(request.headers["I-Twilio-Idempotency-Token"])
        if len(tokens) == 1:
            await asyncio.sleep(2)
        return web.Response(text="<Response/>", content_type="text/xml")

    async with sender_and_server(handler) as (sender, url, log):
        await sender.fetch_twiml(sender.prepare("voice", "POST", url, FIELDS))
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
    assert [event.name for event in log.events] == ["webhook_failed", "webhook_answered"]


async def test_after_two_tries_without_an_answer_it_is_a_fault() -> None:
    async def handler(_request: web.Request) -> web.Response:
        await asyncio.sleep(2)
        return web.Response()

    async with sender_and_server(handler) as (sender, url, _log):
        with pytest.raises(CarrierFault, match=r"did not answer within 0\.3 s") as caught:
            await sender.send(sender.prepare("voice", "POST", url, FIELDS))
    assert caught.value.code is ErrorCode.HTTP_TIMEOUT


async def test_nobody_there_is_a_fault() -> None:
    async with aiohttp.ClientSession() as session:
        sender = WebhookSender(session, Signer("12345"), EventLog(lambda: 0.0))
        url = f"http://127.0.0.1:{unused_port()}/voice"
        with pytest.raises(CarrierFault, match="could not be reached") as caught:
            await sender.send(sender.prepare("voice", "POST", url, FIELDS))
    assert caught.value.code is ErrorCode.HTTP_CONNECTION_FAILURE


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 500, "text": "oops"}, ErrorCode.HTTP_RETRIEVAL_FAILURE),
        ({"status": 302, "headers": {"Location": "/"}}, ErrorCode.HTTP_RETRIEVAL_FAILURE),
        ({"text": "{}", "content_type": "application/json"}, ErrorCode.INVALID_CONTENT_TYPE),
        ({"text": "<Response>", "content_type": "text/xml"}, ErrorCode.DOCUMENT_PARSE_FAILURE),
        ({"text": " " * (twiml.MAX_BYTES + 1), "content_type": "text/xml"}, ErrorCode.HTTP_BODY_TOO_LARGE),
    ],
)
async def test_an_answer_that_is_no_twiml_is_a_fault_and_not_tried_again(
    answer: dict[str, Any], code: ErrorCode
) -> None:
    count = 0

    async def handler(_request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(**answer)

    async with sender_and_server(handler) as (sender, url, _log):
        with pytest.raises(CarrierFault) as caught:
            await sender.fetch_twiml(sender.prepare("voice", "POST", url, FIELDS))
    assert caught.value.code is code
    assert count == 1


async def test_a_body_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" " * 100_000)
            sent += 100_000
        return response

    async with sender_and_server(handler) as (sender, url, _log):
        with pytest.raises(CarrierFault, match="larger than 64 KB"):
            await sender.fetch_twiml(sender.prepare("voice", "POST", url, FIELDS))
    assert sent < 50_000_000
