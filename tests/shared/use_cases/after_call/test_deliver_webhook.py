"""Endpoints, messages and their deliveries: signed, tried again, laid among the dead, sent anew."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.adapters.aes_gcm.vault import AesGcmVault
from shared.domain.after_call.records import AnalysisRecord, DeliveryRequest
from shared.domain.after_call.webhooks import MOST_FAILURES, DeliveryState, Event, EventKind
from shared.domain.agents.after_call import AfterCall
from shared.domain.call import Agent, Call, CallState, Provider, Turn, TurnOutcome
from shared.domain.errors import Conflict, InvalidRequest, NotFound
from shared.domain.telephony.lines import Line
from shared.ports.web_requests import WebError
from shared.use_cases.after_call.deliver_webhook import DeliverWebhook
from shared.use_cases.after_call.edit_endpoints import MOST_ENDPOINTS, EditEndpoints
from shared.use_cases.after_call.tell_events import TellEvents
from tests.fakes.after_calls import FakeAfterCallOrchestrations, FakeAfterCallRecords, FakeWeb, FakeWebhooks
from tests.fakes.clock import FakeClock
from tests.fakes.stores import FakeCallStore, FakeDirectory

URL = "https://hook.example/a"
TURNS = (
    Turn(0, None, "Hello.", TurnOutcome.COMPLETED),
    Turn(1, "I'm Ann, 98450 12345", "Hi Ann", TurnOutcome.COMPLETED),
)


def check_address(url: str) -> None:
    if not url.startswith("https://"):
        raise InvalidRequest("web_address", "the address must begin with https://")


@dataclass
class House:
    web: FakeWeb = field(default_factory=FakeWeb)
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    vault: AesGcmVault = field(default_factory=lambda: AesGcmVault({"k": b"k" * 32}))
    clock: FakeClock = field(default_factory=FakeClock)
    calls: FakeCallStore = field(default_factory=FakeCallStore)
    records: FakeAfterCallRecords = field(default_factory=FakeAfterCallRecords)
    engine: FakeAfterCallOrchestrations = field(default_factory=FakeAfterCallOrchestrations)
    after_call: AfterCall = field(default_factory=AfterCall)

    @property
    def edit(self) -> EditEndpoints:
        return EditEndpoints(self.webhooks, self.vault, self.clock, check_address)

    @property
    def deliver(self) -> DeliverWebhook:
        return DeliverWebhook(self.webhooks, self.vault, self.web, self.clock)

    @property
    def tell(self) -> TellEvents:
        agent = Agent(
            agent_id="desk", tenant_id="t", name="D", persona="P", greeting="Hello.", after_call=self.after_call
        )
        return TellEvents(self.webhooks, self.calls, FakeDirectory(agent), self.records, self.clock)

    async def happened(self, kind: EventKind = EventKind.ENDED) -> Event:
        call = Call(
            call_id=f"c{len(self.webhooks.events)}",
            tenant_id="t",
            agent_id="desk",
            provider=Provider.WEB,
            provider_call_id=f"p{len(self.webhooks.events)}",
            line=Line.WEB,
            direction="inbound",
            caller="ann@mail.example",
            callee="desk",
            state=CallState.COMPLETED,
            started_at=self.clock.now(),
            turns=TURNS,
        )
        await self.calls.create(call)
        event = Event(f"evt_{len(self.webhooks.events)}", "t", call.call_id, kind, self.clock.now())
        self.webhooks.events[event.event_id] = event
        return event

    async def told(self, kind: EventKind = EventKind.ENDED) -> DeliveryRequest:
        await self.happened(kind)
        self.engine.deliveries.clear()
        await self.tell(self.engine)
        return self.engine.deliveries[-1]

    async def state(self, request: DeliveryRequest) -> DeliveryState:
        found = await self.webhooks.addressed("t", request.delivery_id)
        assert found is not None
        return found.delivery.state


def signed_by(secret: str, house: House, n: int = -1) -> bool:
    """As a receiver checks it."""
    asked = house.web.asked[n]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return expected in asked.headers["webhook-signature"].split(" ")


async def test_a_message_is_delivered_signed() -> None:
    house = House(FakeWeb(204))
    _, secret = await house.edit.add("t", URL, ["call.ended"])
    request = await house.told()
    assert await house.deliver(request) is DeliveryState.DELIVERED
    assert house.web.asked[0].url == URL
    assert signed_by(secret.secret, house)
    assert json.loads(house.web.asked[0].body)["id"] == house.web.asked[0].headers["webhook-id"]
    assert await house.deliver(request) is DeliveryState.DELIVERED, "a second time nothing is sent"
    assert len(house.web.asked) == 1


@pytest.mark.parametrize("answer", [500, 302, 404, 429, WebError("web_late", ""), WebError("web_address", "")])
async def test_what_fails_is_tried_again_under_the_same_id(answer: int | WebError) -> None:
    house = House(FakeWeb(answer, 200))
    await house.edit.add("t", URL, ["call.ended"])
    request = await house.told()
    assert await house.deliver(request) is DeliveryState.PENDING
    (listed,) = await house.webhooks.deliveries("t")
    assert listed.last_fault == (answer.code if isinstance(answer, WebError) else f"http_{answer}")
    assert await house.deliver(request) is DeliveryState.DELIVERED
    first, second = house.web.asked
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


async def test_the_dead_are_listed_and_sent_anew() -> None:
    house = House(FakeWeb(500, 200))
    _, secret = await house.edit.add("t", URL, ["call.ended"])
    request = await house.told()
    await house.deliver(request)
    assert await house.deliver.give_up(request) is DeliveryState.DEAD
    (listed,) = await house.webhooks.deliveries("t", state=DeliveryState.DEAD)
    assert (listed.last_status, listed.last_fault, listed.attempts) == (500, "http_500", 1)
    house.engine.deliveries.clear()
    await house.edit.deliver_again("t", request.delivery_id, house.engine)
    assert house.engine.deliveries == [request]
    assert await house.deliver(request) is DeliveryState.DELIVERED
    assert signed_by(secret.secret, house)
    assert await house.deliver.give_up(request) is DeliveryState.DELIVERED


async def test_who_is_gone_is_told_nothing_more() -> None:
    house = House(FakeWeb(410))
    endpoint, _ = await house.edit.add("t", URL, ["call.ended"])
    request = await house.told()
    assert await house.deliver(request) is DeliveryState.DEAD
    assert (await house.edit.one("t", endpoint.endpoint_id)).disabled_reason == "gone"


async def test_an_endpoint_that_always_fails_is_disabled_and_its_messages_are_dead() -> None:
    house = House(FakeWeb(*[500] * MOST_FAILURES))
    endpoint, _ = await house.edit.add("t", URL, ["call.ended"])
    first, second = await house.told(), await house.told()
    for _ in range(MOST_FAILURES):
        assert await house.deliver(first) is DeliveryState.PENDING
    assert await house.deliver(second) is DeliveryState.DEAD
    assert (await house.edit.one("t", endpoint.endpoint_id)).disabled_reason == "too_many_failures"
    assert len(house.web.asked) == MOST_FAILURES
    assert (await house.edit.enable("t", endpoint.endpoint_id)).disabled_reason == ""


async def test_a_new_secret_signs_beside_the_old_one_for_a_day() -> None:
    house = House(FakeWeb(200, 200))
    endpoint, old = await house.edit.add("t", URL, ["call.ended"])
    new = await house.edit.new_secret("t", endpoint.endpoint_id)
    assert new.secret != old.secret
    await house.deliver(await house.told())
    assert signed_by(old.secret, house)
    assert signed_by(new.secret, house)
    await house.clock.sleep_ms(timedelta(hours=24).total_seconds() * 1000 + 1000)
    await house.deliver(await house.told())
    assert not signed_by(old.secret, house)
    assert signed_by(new.secret, house)


async def test_a_secret_that_nobody_can_open_ends_the_delivery() -> None:
    house = House(FakeWeb())
    await house.edit.add("t", URL, ["call.ended"])
    request = await house.told()
    house.vault = AesGcmVault({"other": b"o" * 32})
    assert await house.deliver(request) is DeliveryState.DEAD
    assert (await house.webhooks.deliveries("t"))[0].last_fault == "vault_key_unknown"


async def test_secrets_are_sealed_anew_when_the_keys_have_changed() -> None:
    house = House(FakeWeb(200, 200))
    _, secret = await house.edit.add("t", URL, ["call.ended"])
    house.vault = AesGcmVault({"new": b"n" * 32, "k": b"k" * 32})
    await house.deliver(await house.told())
    house.vault = AesGcmVault({"new": b"n" * 32})
    assert await house.deliver(await house.told()) is DeliveryState.DELIVERED
    assert signed_by(secret.secret, house)


async def test_events_go_to_who_wants_them_only() -> None:
    house = House()
    a, _ = await house.edit.add("t", URL, ["call.ended", "call.ended"])
    await house.edit.add("t", URL, ["call.started"])
    await house.edit.add("other", URL, ["call.ended"])
    request = await house.told()
    found = await house.webhooks.addressed("t", request.delivery_id)
    assert found is not None
    assert found.endpoint == a
    assert await house.tell(house.engine) == 0
    assert house.engine.deliveries == [request]


@pytest.mark.parametrize(
    ("redacts", "heard", "caller"),
    [(True, "I'm [name], [phone]", "**************le"), (False, "I'm Ann, 98450 12345", "ann@mail.example")],
)
async def test_an_analysis_is_told_as_the_agent_shows_it(redacts: bool, heard: str, caller: str) -> None:
    house = House(after_call=AfterCall(redacts=redacts))
    await house.edit.add("t", URL, ["call.analysed"])
    house.records.analyses["t", "c0"] = AnalysisRecord({"summary": "Fine."})
    request = await house.told(EventKind.ANALYSED)
    found = await house.webhooks.addressed("t", request.delivery_id)
    assert found is not None
    data = json.loads(found.delivery.body)["data"]
    assert data["analysis"] == {"summary": "Fine."}
    assert data["from"] == caller
    assert data["transcript"][1] == {"turn": 1, "speaker": "caller", "text": heard}
    assert data["transcript_is_whole"] is True


async def test_what_nobody_goes_on_with_is_taken_up() -> None:
    house = House()
    await house.edit.add("t", URL, ["call.ended"])
    request = await house.told()
    house.engine.deliveries.clear()
    house.clock = _Later()
    await house.tell.take_up(house.engine)
    assert house.engine.deliveries == [request]


async def test_bad_endpoints() -> None:
    house = House()
    for url, events in (("http://hook.example", ["call.ended"]), (URL, []), (URL, ["call.lost"])):
        with pytest.raises(InvalidRequest):
            await house.edit.add("t", url, events)
    house.vault = AesGcmVault({})
    with pytest.raises(Conflict, match="sealing"):
        await house.edit.add("t", URL, ["call.ended"])
    assert not await house.webhooks.endpoints("t")


async def test_not_too_many() -> None:
    house = House()
    for _ in range(MOST_ENDPOINTS):
        await house.edit.add("t", URL, ["call.ended"])
    with pytest.raises(Conflict):
        await house.edit.add("t", URL, ["call.ended"])


async def test_what_is_not_there() -> None:
    house = House()
    endpoint, _ = await house.edit.add("t", URL, ["call.ended"])
    request = await house.told()
    for deed in (
        lambda: house.edit.one("x", endpoint.endpoint_id),
        lambda: house.edit.remove("x", endpoint.endpoint_id),
        lambda: house.edit.enable("x", endpoint.endpoint_id),
        lambda: house.edit.new_secret("x", endpoint.endpoint_id),
        lambda: house.edit.deliver_again("x", request.delivery_id, house.engine),
    ):
        with pytest.raises(NotFound):
            await deed()
    assert await house.deliver(DeliveryRequest("x", request.delivery_id)) is DeliveryState.DEAD
    await house.edit.remove("t", endpoint.endpoint_id)
    assert await house.deliver(request) is DeliveryState.DEAD
    assert not house.web.asked


class _Later(FakeClock):
    """Ours, many years on."""

    def now_ms(self) -> float:
        return super().now_ms() + timedelta(days=9_000).total_seconds() * 1000
