"""What can be done with a call at every provider, and how it fails: an API that refuses, is late, or is not there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from shared.domain.errors import Conflict, TelephonyError
from shared.domain.telephony.commands import Dial, DialUncertain, SendKeys, Transfer, TransferKind
from shared.domain.telephony.lines import Capability, Unsupported
from shared.ports.call_control import CallControl
from tests.contracts.call_controls import APIS, DIALLED, Answers, Asked, ProviderApi
from tests.contracts.speech_service import Handler, stub_service
from tests.services import free_port

DIAL = Dial("attempt-1", "call-1", DIALLED, "+15550100001")
COLD, WARM = Transfer("+14155550199"), Transfer("+14155550199", TransferKind.WARM, "A caller for you.")
Command = Callable[[CallControl, str], Awaitable[object]]
COMMANDS: dict[Capability, Command] = {
    Capability.COLD_TRANSFER: lambda control, call: control.transfer(call, COLD),
    Capability.WARM_TRANSFER: lambda control, call: control.transfer(call, WARM),
    Capability.KEYS_OUT: lambda control, call: control.send_keys(call, SendKeys("12#")),
    Capability.RECORDING: lambda control, call: control.record(call, on=True),
    Capability.VOICEMAIL_DETECTION: lambda control, call: control.leave_message(call, "Please call.", language="en"),
}


@pytest.fixture(params=APIS, ids=lambda api: api.name)
def api(request: pytest.FixtureRequest) -> ProviderApi:
    given: ProviderApi = request.param
    return given


class Answering:
    """An API that answers by these in turn, the last one again and again, and remembers what it was asked."""

    def __init__(self, *answers: Answers) -> None:
        self.asked: list[Asked] = []
        self._answers = answers

    async def answer(self, request: web.Request) -> web.Response:
        asked = Asked(request.method, request.path, dict(request.query), await request.text())
        self.asked.append(asked)
        return self._answers[min(len(self.asked), len(self._answers)) - 1](asked)


def refusing(status: int) -> Answers:
    return lambda asked: web.json_response({}, status=status)


async def silent(request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def dropping(request: web.Request) -> web.Response:
    """Takes the request, and is gone."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    for _ in range(100):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


# hanging up


async def test_a_call_is_hung_up_with_one_request(api: ProviderApi) -> None:
    carrier = Answering(api.well)
    async with stub_service(carrier.answer) as service:
        await api.make(f"{service.url}/", 5.0).hang_up(api.call_id)
    assert len(carrier.asked) == 1
    assert api.call_id in carrier.asked[0].path + carrier.asked[0].body


async def test_hanging_up_what_has_ended_is_no_error(api: ProviderApi) -> None:
    async with stub_service(Answering(api.ended).answer) as service:
        await api.make(service.url, 5.0).hang_up(api.call_id)
    async with stub_service(Answering(refusing(404)).answer) as service:
        if api.name != "connect":  # whose errors have names
            await api.make(service.url, 5.0).hang_up(api.call_id)


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_hiccup_costs_one_more_try(api: ProviderApi, status: int) -> None:
    carrier = Answering(refusing(status), api.well)
    async with stub_service(carrier.answer) as service:
        await api.make(service.url, 5.0).hang_up(api.call_id)
    assert len(carrier.asked) == 2


@pytest.mark.parametrize(("status", "retryable"), [(500, True), (429, True), (401, False)])
async def test_an_api_that_keeps_refusing(api: ProviderApi, status: int, retryable: bool) -> None:
    async with stub_service(Answering(refusing(status)).answer) as service:
        with pytest.raises(TelephonyError) as error:
            await api.make(service.url, 5.0).hang_up(api.call_id)
    assert error.value.retryable is retryable


@pytest.mark.parametrize("handler", [silent, dripping, dropping])
async def test_an_api_that_is_late_or_gone_costs_the_deadline_and_no_more(api: ProviderApi, handler: Handler) -> None:
    async with stub_service(handler) as service:
        began = time.monotonic()
        with pytest.raises(TelephonyError) as error:
            await api.make(service.url, 0.2).hang_up(api.call_id)
        assert error.value.retryable
        assert time.monotonic() - began < 3.0


async def test_an_api_that_is_not_there(api: ProviderApi) -> None:
    with pytest.raises(TelephonyError) as error:
        await api.make(f"http://127.0.0.1:{free_port()}", 1.0).hang_up(api.call_id)
    assert error.value.retryable


# the other commands


@pytest.mark.parametrize("capability", COMMANDS, ids=str)
async def test_a_command_is_carried_out_or_said_to_be_impossible(api: ProviderApi, capability: Capability) -> None:
    carrier = Answering(api.well)
    async with stub_service(carrier.answer) as service:
        control = api.make(service.url, 5.0)
        if capability in control.capabilities:
            await COMMANDS[capability](control, api.call_id)
            assert carrier.asked
            return
        with pytest.raises(Unsupported):
            await COMMANDS[capability](control, api.call_id)
        assert carrier.asked == []


@pytest.mark.parametrize("capability", COMMANDS, ids=str)
async def test_a_command_for_a_call_that_has_ended(api: ProviderApi, capability: Capability) -> None:
    async with stub_service(Answering(api.ended).answer) as service:
        control = api.make(service.url, 5.0)
        if capability not in control.capabilities:
            pytest.skip(f"{api.name} has no {capability}")
        with pytest.raises(Conflict):
            await COMMANDS[capability](control, api.call_id)


@pytest.mark.parametrize("capability", COMMANDS, ids=str)
@pytest.mark.parametrize("status", [401, 429, 500])
async def test_a_command_that_is_refused(api: ProviderApi, capability: Capability, status: int) -> None:
    async with stub_service(Answering(refusing(status)).answer) as service:
        control = api.make(service.url, 5.0)
        if capability not in control.capabilities:
            pytest.skip(f"{api.name} has no {capability}")
        with pytest.raises(TelephonyError) as error:
            await COMMANDS[capability](control, api.call_id)
    assert error.value.retryable is (status != 401)


# dialling


async def test_a_call_is_dialled_with_one_request(api: ProviderApi) -> None:
    carrier = Answering(api.well)
    async with stub_service(carrier.answer) as service:
        assert await api.make(service.url, 5.0).dial(DIAL) == api.dialled_id
    assert [api.is_dial(asked) for asked in carrier.asked] == [True]


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_dial_that_may_have_happened_is_not_repeated(api: ProviderApi, status: int) -> None:
    carrier = Answering(refusing(status))
    async with stub_service(carrier.answer) as service:
        control = api.make(service.url, 5.0)
        with pytest.raises(DialUncertain):
            await control.dial(DIAL)
    if Capability.IDEMPOTENT_DIAL not in control.capabilities:
        assert len(carrier.asked) == 1


@pytest.mark.parametrize("handler", [silent, dripping, dropping])
async def test_a_dial_whose_answer_is_lost_is_uncertain(api: ProviderApi, handler: Handler) -> None:
    async with stub_service(handler) as service:
        with pytest.raises(DialUncertain):
            await api.make(service.url, 0.3).dial(DIAL)


@pytest.mark.parametrize(("status", "retryable"), [(429, True), (400, False), (401, False)])
async def test_a_dial_that_was_refused_has_not_happened(api: ProviderApi, status: int, retryable: bool) -> None:
    carrier = Answering(refusing(status))
    async with stub_service(carrier.answer) as service:
        control = api.make(service.url, 5.0)
        with pytest.raises(TelephonyError) as error:
            await control.dial(DIAL)
    assert error.value.retryable is retryable
    if Capability.IDEMPOTENT_DIAL not in control.capabilities:
        assert len(carrier.asked) == 1


async def test_a_dial_that_was_never_sent_has_not_happened(api: ProviderApi) -> None:
    with pytest.raises(TelephonyError) as error:
        await api.make(f"http://127.0.0.1:{free_port()}", 1.0).dial(DIAL)
    assert error.value.retryable


async def test_a_dial_that_never_was_is_not_found(api: ProviderApi) -> None:
    async with stub_service(Answering(api.well).answer) as service:
        control = api.make(service.url, 5.0)
        if Capability.IDEMPOTENT_DIAL in control.capabilities:
            assert await control.find_dialled(DIAL) == api.dialled_id, "which asks for it again"
        else:
            assert await control.find_dialled(DIAL) is None


async def test_where_nobody_can_say_it_is_not_found_it_is_not_known(api: ProviderApi) -> None:
    async with stub_service(Answering(refusing(500)).answer) as service:
        control = api.make(service.url, 5.0)
        with pytest.raises((TelephonyError, DialUncertain)):
            await control.find_dialled(DIAL)


# how far a call has come


@pytest.mark.parametrize("status", [404, 500, 401])
async def test_a_state_that_is_not_known_is_none(api: ProviderApi, status: int) -> None:
    async with stub_service(Answering(refusing(status)).answer) as service:
        assert await api.make(service.url, 5.0).state_of(api.call_id) is None


@pytest.mark.parametrize("handler", [silent, dropping])
async def test_a_state_that_nobody_tells_is_none(api: ProviderApi, handler: Handler) -> None:
    async with stub_service(handler) as service:
        assert await api.make(service.url, 0.2).state_of(api.call_id) is None


@pytest.mark.parametrize("body", ["", "[]", "x", '{"status": 5, "sid": 7, "calls": {"a": 1}}', "[" * 5000])
async def test_answers_that_are_no_documents(api: ProviderApi, body: str) -> None:
    """Neither a success nor a crash."""

    async def babbling(request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with stub_service(babbling) as service:
        control = api.make(service.url, 5.0)
        assert await control.state_of(api.call_id) is None
        with pytest.raises((DialUncertain, TelephonyError)):
            await control.dial(DIAL)
