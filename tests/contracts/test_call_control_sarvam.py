"""Outbound calls by Sarvam's voice agents: asked for once, found again, and what cannot be done with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local_stack.phones.exchange import Setup
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.sarvam.exchange import SarvamExchange, open_exchange
from shared.adapters.sarvam import passes
from shared.adapters.sarvam.agents_api import AgentsApi, Workspace
from shared.adapters.sarvam.call_control import OutboundAgent, SamvaadCallControl
from shared.domain.errors import TelephonyError
from shared.domain.telephony.commands import Dial, DialUncertain, SendKeys, Transfer
from shared.domain.telephony.lines import Capability, Unsupported
from tests.contracts.speech_service import stub_service
from tests.services import free_port

SECRET = "s" * 32
ENVIRONMENT = {
    "SAMVAAD_API_KEY": "key",
    "SAMVAAD_ORG_ID": "org",
    "SAMVAAD_WORKSPACE_ID": "space",
    "SAMVAAD_APP_ID": "desk",
    "SAMVAAD_WEBHOOK_SECRET": SECRET,
}
DIAL = Dial("attempt-1", "call-1", "+919800000002", "+918000000001")


@asynccontextmanager
async def platform(results: list[Any] | None = None) -> AsyncIterator[tuple[str, SarvamExchange]]:
    """The local stand-in, whose numbers are all busy; gives its address. Results are put into the list."""

    async def take(request: web.Request) -> web.Response:
        if results is not None:
            passes.check_call_pass(request.match_info["call_pass"], request.match_info["call_id"], [SECRET])
            assert "Authorization" not in request.headers
            results.append(await request.json())
        return web.json_response({})

    app = web.Application()
    people = {DIAL.to: CalledPerson(Callee.BUSY, ring_ms=0)}
    speech = ProviderSpeech("http://127.0.0.1:9")
    exchange = open_exchange(Setup(ENVIRONMENT, "http://127.0.0.1:9", None, speech, people))
    assert exchange is not None
    exchange.add_routes(app)
    app.router.add_post("/result/{call_id}/{call_pass}", take)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", exchange
    finally:
        await exchange.close()
        await runner.cleanup()


def control(url: str, *, key: str = "key", deadline_s: float = 5.0, **changes: Any) -> SamvaadCallControl:
    agent = OutboundAgent("desk", 7, "conn-1", f"{url}/result", SECRET)
    api = AgentsApi(Workspace("org", "space", key, url), deadline_s=deadline_s)
    return SamvaadCallControl(api, replace(agent, **changes))


async def order(url: str, *moods: str) -> None:
    async with aiohttp.ClientSession() as http:
        (await http.put(f"{url}/_local/sarvam/moods", json=list(moods))).raise_for_status()


async def test_a_call_is_begun_and_its_result_names_ours() -> None:
    results: list[Any] = []
    async with platform(results) as (url, exchange):
        attempt_id = await control(url).dial(DIAL)
        assert exchange.find(attempt_id) is not None
        async with asyncio.timeout(5):
            while not results:
                await asyncio.sleep(0.02)
    assert (results[0]["attempt_id"], results[0]["status"]) == (attempt_id, "busy")
    assert results[0]["webhook_config"]["metadata"] == {"call": "call-1", "attempt": "attempt-1"}
    assert results[0]["failure_reason"] == "local:user_busy"


async def test_what_is_sent() -> None:
    asked: list[Any] = []

    async def provider(request: web.Request) -> web.Response:
        asked.append((request.method, request.path, request.headers["X-API-Key"], await request.json()))
        return web.json_response({"attempt_id": "a-1"})

    async with stub_service(provider) as service:
        assert await control(service.url).dial(DIAL) == "a-1"
    assert asked == [
        (
            "POST",
            "/api/outbounds/v1/orgs/org/workspaces/space/outbounds",
            "key",
            {
                "app_config": {
                    "app_id": "desk",
                    "app_version": 7,
                    "app_type": "agent",
                    "connection_config": {"connection_id": "conn-1", "agent_phone_number": "+918000000001"},
                    "agent_variables": {"voice_agent_call": "call-1"},
                },
                "user_config": {"user_phone_number": "+919800000002"},
                "webhook_config": {
                    "url": f"{service.url}/result/call-1/{passes.call_pass(SECRET, 'call-1')}",
                    "metadata": {"call": "call-1", "attempt": "attempt-1"},
                },
            },
        )
    ]


@pytest.mark.parametrize("mood", ["429", "500", "503", "drop", "done_500", "done_drop"])
async def test_an_answer_that_leaves_it_open_is_never_followed_by_a_second_try(mood: str) -> None:
    async with platform() as (url, exchange):
        await order(url, mood)
        with pytest.raises(DialUncertain):
            await control(url).dial(DIAL)
        assert len(exchange.calls()) == (1 if mood.startswith("done") else 0)


async def test_a_platform_that_is_late_costs_the_deadline_and_no_more() -> None:
    async with platform() as (url, _):
        await order(url, "late")
        began = time.monotonic()
        with pytest.raises(DialUncertain):
            await control(url, deadline_s=0.3).dial(DIAL)
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("answer", [{}, [], {"attempt_id": None}, {"attempt_id": ""}, None])
async def test_a_success_that_names_no_attempt_is_uncertain(answer: Any) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.Response(text="}{") if answer is None else web.json_response(answer)

    async with stub_service(provider) as service:
        with pytest.raises(DialUncertain):
            await control(service.url).dial(DIAL)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"key": "wrong"}, "HTTP 403"), ({"app_id": "other"}, "HTTP 422"), ({"connection_id": ""}, "HTTP 422")],
)
async def test_a_refusal_is_certain(changes: dict[str, str], code: str) -> None:
    async with platform() as (url, exchange):
        with pytest.raises(TelephonyError) as error:
            await control(url, **changes).dial(DIAL)  # type: ignore[arg-type]
        assert (error.value.code, error.value.retryable) == ("sarvam_refused", False)
        assert code in error.value.message
        assert not exchange.calls()


async def test_a_platform_that_is_not_there_has_certainly_not_dialled() -> None:
    with pytest.raises(TelephonyError) as error:
        await control(f"http://127.0.0.1:{free_port()}").dial(DIAL)
    assert (error.value.code, error.value.retryable) == ("sarvam_unavailable", True)


async def test_what_was_dialled_is_found() -> None:
    async with platform() as (url, exchange):
        one = control(url)
        assert await one.find_dialled(DIAL) is None
        await order(url, "done_500")
        with pytest.raises(DialUncertain):
            await one.dial(DIAL)
        await one.dial(replace(DIAL, call_id="call-2"))
        first = exchange.calls()[-1].call_sid
        assert await one.find_dialled(DIAL) == first
        asked = replace(DIAL, asked_ms=datetime.now(UTC).timestamp() * 1000 + 60_000)
        assert await one.find_dialled(asked) is None


@pytest.mark.parametrize("shape", ["items", "interactions", "list"])
async def test_interactions_that_keep_no_variables_are_known_by_their_numbers(shape: str) -> None:
    found = [{"attempt_id": "a-1", "user_identifier": "919800000002"}, {"attempt_id": "a-2"}, 7]

    async def provider(request: web.Request) -> web.Response:
        return web.json_response(found if shape == "list" else {shape: found})

    async with stub_service(provider) as service:
        assert await control(service.url).find_dialled(DIAL) == "a-1"
        found.append({"attempt_id": "a-3", "user_phone_number": "+919800000002"})
        with pytest.raises(TelephonyError) as error:
            await control(service.url).find_dialled(DIAL)
        assert error.value.code == "dial_ambiguous"


@pytest.mark.parametrize("statuses", [[500, 200], [429, 200]])
async def test_looking_is_tried_again(statuses: list[int]) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({"items": []}, status=statuses.pop(0))

    async with stub_service(provider) as service:
        assert await control(service.url).find_dialled(DIAL) is None


async def test_looking_in_vain_is_no_answer() -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({}, status=500)

    async with stub_service(provider) as service:
        with pytest.raises(TelephonyError):
            await control(service.url).find_dialled(DIAL)


async def test_what_it_cannot_do_it_says_before_anything_is_done() -> None:
    one = control(f"http://127.0.0.1:{free_port()}")
    assert one.capabilities == {Capability.OUTBOUND}
    assert await one.state_of("a-1") is None
    deeds = (
        one.hang_up("a-1"),
        one.transfer("a-1", Transfer("+14155550100")),
        one.send_keys("a-1", SendKeys("1")),
        one.record("a-1", on=True),
        one.leave_message("a-1", "Hello.", language="en"),
    )
    for deed in deeds:
        with pytest.raises(Unsupported):
            await deed
