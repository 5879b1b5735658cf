"""Every HTTP door of the app: who is let in, and what a tenant sees of another one, which is nothing.

A route that is new has to be entered here, with who may come.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

import function_app
from shared.adapters.aes_gcm.vault import AesGcmVault
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.composition import Services
from shared.domain.after_call.webhooks import Endpoint, EventKind
from shared.domain.call import Call
from shared.domain.errors import Unauthenticated
from shared.domain.principal import Principal, Role
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.outbound import OutboundPolicy
from shared.domain.telephony.routes import Number
from shared.ports.callbacks import Callback
from shared.ports.messages_taken import MessageTaken
from shared.settings import Settings
from shared.use_cases.after_call.edit_endpoints import EditEndpoints
from shared.use_cases.after_call.look_back import LookBack
from shared.use_cases.agents.edit_agents import EditAgents
from shared.use_cases.knowledge.keep_documents import KeepDocuments
from tests.fakes.after_calls import FakeAfterCallRecords, FakeWebhooks
from tests.fakes.agent_versions import FakeAgentVersions
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House
from tests.fakes.knowledge import FakeKnowledgeDocuments
from tests.fakes.memory import FakeOnce, FakeShortMemory
from tests.fakes.model_usages import FakeModelUsages
from tests.fakes.outbound import FakeNumberAllotments, FakeNumbers
from tests.fakes.stores import FakeFileStore
from tests.fakes.tools import FakeCallbacks, FakeMessagesTaken
from tests.functions.conftest import assert_problem, document_of, request, user_function
from tests.shared.composition.test_services import NEEDED

OPERATORS, ADMINS, CALLERS = {"operator", "admin"}, {"admin"}, {"caller", "operator", "admin"}
PLATFORM = {"platform"}
OURS, THEIRS = "+15550100001", "+14155550100"
NUMBER = {"provider": "twilio", "number": OURS}
WISH = {"to": THEIRS, "agent_id": "nora", "caller_id": OURS}
DESK = {"name": "Desk", "persona": "You are the desk.", "greeting": "Hello."}
ANYBODY, SIGNED, UPSTREAM = "anybody", "signed", "upstream"


@dataclass(frozen=True)
class Door:
    """`who`: who may come. `body`: a good one. `strangers`: what another tenant's people are told."""

    who: set[str] | str
    body: Any = None
    strangers: int = 404


DOORS: dict[tuple[str, str], Door] = {
    ("GET", "api/calls"): Door(OPERATORS, strangers=200),
    ("POST", "api/calls"): Door(OPERATORS, WISH),
    ("GET", "api/calls/{call_id}"): Door(OPERATORS),
    ("GET", "api/calls/{call_id}/analysis"): Door(OPERATORS),
    ("GET", "api/calls/{call_id}/raw-transcript"): Door(ADMINS),
    ("GET", "api/webhook-endpoints"): Door(ADMINS, strangers=200),
    ("POST", "api/webhook-endpoints"): Door(ADMINS, {"url": "https://hook.example/"}, strangers=201),
    ("GET", "api/webhook-endpoints/{endpoint_id}"): Door(ADMINS),
    ("DELETE", "api/webhook-endpoints/{endpoint_id}"): Door(ADMINS),
    ("POST", "api/webhook-endpoints/{endpoint_id}/secret"): Door(ADMINS),
    ("POST", "api/webhook-endpoints/{endpoint_id}/enable"): Door(ADMINS),
    ("GET", "api/webhook-deliveries"): Door(ADMINS, strangers=200),
    ("POST", "api/webhook-deliveries/{delivery_id}/redeliver"): Door(ADMINS),
    ("POST", "api/calls/{call_id}/hangup"): Door(OPERATORS),
    ("POST", "api/calls/{call_id}/transfer"): Door(OPERATORS, {"to": THEIRS}),
    ("POST", "api/calls/{call_id}/keys"): Door(OPERATORS, {"keys": "1"}),
    ("POST", "api/calls/{call_id}/recording"): Door(OPERATORS, {"on": True}),
    ("POST", "api/calls/{call_id}/language"): Door(OPERATORS, {"language": "en"}),
    ("GET", "api/calls/{call_id}/overheard"): Door(OPERATORS),
    ("GET", "api/knowledge/{collection}/documents"): Door(ADMINS, strangers=200),
    ("GET", "api/knowledge/{collection}/documents/{document_id}"): Door(ADMINS),
    ("PUT", "api/knowledge/{collection}/documents/{document_id}"): Door(ADMINS, {"no": "document"}, strangers=400),
    ("DELETE", "api/knowledge/{collection}/documents/{document_id}"): Door(ADMINS),
    ("GET", "api/spend-cap"): Door(ADMINS, strangers=200),
    ("PUT", "api/spend-cap"): Door(ADMINS, {"daily_cents": 500}, strangers=200),
    ("GET", "api/agents"): Door(ADMINS, strangers=200),
    ("GET", "api/agents/schema"): Door(ADMINS, strangers=200),
    ("GET", "api/agents/{agent_id}"): Door(ADMINS),
    ("PUT", "api/agents/{agent_id}/draft"): Door(ADMINS, DESK, strangers=200),
    ("POST", "api/agents/{agent_id}/publish"): Door(ADMINS, {"revision": 2}),
    ("POST", "api/agents/{agent_id}/rollback"): Door(ADMINS, {"version": 1}),
    ("GET", "api/agents/{agent_id}/versions"): Door(ADMINS),
    ("GET", "api/agents/{agent_id}/versions/{version:int}"): Door(ADMINS),
    ("GET", "api/numbers"): Door(ADMINS, strangers=200),
    ("GET", "api/numbers/{provider}/{number}"): Door(ADMINS),
    ("PUT", "api/numbers/{provider}/{number}"): Door(ADMINS, {"agent_id": "nora"}, strangers=403),
    ("DELETE", "api/numbers/{provider}/{number}"): Door(ADMINS),
    ("GET", "api/number-allotments"): Door(PLATFORM, strangers=403),
    ("PUT", "api/number-allotments/{provider}/{number}"): Door(PLATFORM, {"tenant_id": "tenant-2"}, strangers=403),
    ("DELETE", "api/number-allotments/{provider}/{number}"): Door(PLATFORM, strangers=403),
    ("GET", "api/outbound-policy"): Door(ADMINS, strangers=200),
    ("PUT", "api/outbound-policy"): Door(ADMINS, {"most_at_once": 9}, strangers=200),
    ("GET", "api/messages"): Door(OPERATORS, strangers=200),
    ("POST", "api/messages/{message_id}/handled"): Door(OPERATORS),
    ("GET", "api/callbacks"): Door(OPERATORS, strangers=200),
    ("DELETE", "api/callbacks/{callback_id}"): Door(OPERATORS),
    ("POST", "api/realtime/negotiate"): Door(CALLERS, {"agent_id": "nora"}),
    ("GET", "api/realtime/config"): Door(ANYBODY),
    ("GET", "api/health/live"): Door(ANYBODY),
    ("GET", "api/health/ready"): Door(ANYBODY),
    ("GET", "{page:maxlength(0)?}"): Door(ANYBODY),
    ("GET", "talk/{*file}"): Door(ANYBODY),
    ("OPTIONS", "api/realtime/events/{hub}/{event}"): Door(ANYBODY),
    ("POST", "api/realtime/events/{hub}/{event}"): Door(UPSTREAM),
    **{
        ("POST", f"api/webhooks/twilio/{door}"): Door(SIGNED)
        for door in (
            *("voice", "resume", "status", "stream-status", "amd", "recording", "turn", "transfer"),
            *("person/join", "person/told", "person/machine"),
        )
    },
    **{
        ("POST", f"api/webhooks/connect/{door}"): Door(SIGNED) for door in ("turn", "lex", "gateway", "contact-event")
    },
    **{
        (method, f"api/webhooks/vonage/{door}"): Door(SIGNED)
        for method in ("GET", "POST")
        for door in ("answer", "event", "turn", "transfer", "whisper")
    },
    **{("POST", f"api/webhooks/sarvam/{door}"): Door(SIGNED) for door in ("start", "turn", "end", "result")},
    ("POST", "api/webhooks/sarvam/result/{call_id}/{call_pass}"): Door(SIGNED),
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MESSAGE = MessageTaken("m1", TENANT_ID, CALL_ID, "nora", THEIRS, "Ring me back.", NOON)
CALLBACK = Callback("c1", TENANT_ID, "nora", CALL_ID, THEIRS, OURS, NOON)
GUARDED = [key for key, door in DOORS.items() if isinstance(door.who, set)]
ACCOUNTS = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "twilio-token",
    "VONAGE_API_KEY": "vonage-key",
    "VONAGE_SIGNATURE_SECRET": "vonage-secret",
    "CONNECT_INSTANCE_ARNS": "arn:aws:connect:us-east-1:111122223333:instance/c8c0e68d-2200-4265-82c0-000000000000",
    "CONNECT_WEBHOOK_SECRET": "connect-secret",
    "SAMVAAD_WEBHOOK_SECRET": "samvaad-secret-of-thirty-two-signs",
}


def http_functions() -> dict[tuple[str, str], Any]:
    """The plain function behind each method of each route."""
    found: dict[tuple[str, str], Any] = {}
    for module in vars(function_app).values():
        for builder in getattr(getattr(module, "blueprint", None), "_function_builders", ()):
            trigger = builder._function.get_trigger()
            if trigger is not None and trigger.type == "httpTrigger":
                document = trigger.get_dict_repr()
                for method in document["methods"]:
                    found[method.value, document["route"]] = user_function(builder)
    return found


FUNCTIONS = http_functions()


class People:
    """Fills the port `TokenValidator`: the token is the role, and with `@` the tenant of somebody."""

    async def validate(self, token: str) -> Principal:
        role, _, tenant_id = token.partition("@")
        if role not in list(Role):
            raise Unauthenticated("token_malformed", "the token is malformed")
        return Principal(role, tenant_id or TENANT_ID, frozenset({Role(role)}))

    async def ping(self) -> None:
        """Always ready."""


class Client:
    """The engine, which no stranger may start."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the engine was asked to {name}")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """The whole app over faked stores, with one running call of a tenant that has a number and may dial."""
    house = House(provider=Provider.TWILIO)
    made = Services(Settings.from_environment(NEEDED | ACCOUNTS))
    stores = {"call_store": house.call_store, "live_calls": house.live_calls, "directory": house.directory}
    memories = {"short_memory": FakeShortMemory(), "once": FakeOnce(house.clock), "redis": None, "pool": None}
    made.storage = SimpleNamespace(  # type: ignore[assignment]
        **stores, **memories, pipes=house.pipes, files=house.files, outbound_calls=house.outbound_calls
    )
    made.__dict__["model_usages"] = FakeModelUsages(TENANT_ID, "tenant-2")
    made.__dict__["agents"] = EditAgents(FakeAgentVersions(), PydanticAgentDocuments())
    numbers, people = FakeNumbers(), {"token_validator": People(), "upstream_validator": People()}
    made.__dict__.update(people)
    messages, callbacks = FakeMessagesTaken(), FakeCallbacks()
    messages.messages[TENANT_ID, "m1"] = MESSAGE
    callbacks.callbacks[TENANT_ID, "c1"] = CALLBACK
    made.__dict__["tooling"] = house.tooling = SimpleNamespace(messages=messages, callbacks=callbacks)  # type: ignore[attr-defined]
    made.__dict__["after_call"] = after_call_of(house)
    documents = KeepDocuments(FakeKnowledgeDocuments(), FakeFileStore())
    made.__dict__["knowing"] = SimpleNamespace(keep_documents=documents)
    made.__dict__["understanding"] = SimpleNamespace(show=nothing_understood)
    made.__dict__["warm_up"] = lambda: None
    made.__dict__["providers"] = SimpleNamespace(translation=None, prepared_sounds=None)
    made.calling.__dict__.update(numbers=numbers, number_allotments=FakeNumberAllotments())
    for name, module in list(sys.modules.items()):
        if name.startswith("functions.") and hasattr(module, "services"):
            monkeypatch.setattr(module, "services", lambda: made)
    house.numbers = numbers  # type: ignore[attr-defined]
    house.agents = made.agents  # type: ignore[attr-defined]
    house.outbound_calls.policies[TENANT_ID] = OutboundPolicy(
        prefixes=("+1",), most_at_once=1, daily_spend=Decimal(9), minute_prices={"+": Decimal(1)}
    )
    return house


async def nothing_understood(call: Call) -> None:
    """The agent has no intents."""


def after_call_of(house: House) -> SimpleNamespace:
    """What follows a call, of a tenant that is told at one endpoint."""
    webhooks, vault = FakeWebhooks(), AesGcmVault({"k": b"k" * 32})
    webhooks.put(
        TENANT_ID,
        Endpoint("whe_1", f"https://{THEIRS}.example", tuple(EventKind), datetime(2026, 11, 23, tzinfo=UTC)),
    )
    return SimpleNamespace(
        endpoints=EditEndpoints(webhooks, vault, house.clock, lambda url: None),
        look_back=LookBack(FakeAfterCallRecords((TENANT_ID, CALL_ID)), vault),
    )


async def knock(
    key: tuple[str, str], token: str | None, *, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    method, route = key
    door = DOORS[key]
    names = {"call_id": CALL_ID, "call_pass": "guess", "agent_id": "desk", **NUMBER, "hub": "clients", "event": "x"}
    names |= {"collection": "shop", "document_id": "faq", "endpoint_id": "whe_1", "delivery_id": "dlv_1"}
    names |= {"version:int": "1", "message_id": "m1", "callback_id": "c1"}
    path = route
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    sent = request(
        method,
        f"http://localhost/{path}",
        headers={"content-type": "application/json", **(headers or {})},
        route={name.partition(":")[0]: value for name, value in names.items() if f"{{{name}}}" in route},
        body=b"" if door.body is None else json.dumps(door.body).encode(),
        token=token,
    )
    function = FUNCTIONS[key]
    wanted = function.__code__.co_argcount
    response: func.HttpResponse = await function(*(sent, Client())[:wanted])
    return response


def test_every_door_is_listed() -> None:
    assert FUNCTIONS.keys() == DOORS.keys()


@pytest.mark.parametrize("key", GUARDED, ids=" ".join)
async def test_nobody_comes_in_without_a_token(house: House, key: tuple[str, str]) -> None:
    for token, code in ((None, "token_missing"), ("forged", "token_malformed")):
        response = await knock(key, token)
        assert_problem(response, 401, code)
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("key", "role"),
    [(key, role) for key in GUARDED for role in Role if role not in DOORS[key].who],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
async def test_nobody_comes_in_with_another_role(house: House, key: tuple[str, str], role: Role) -> None:
    await house.connect()
    assert_problem(await knock(key, role), 403, "role_missing")


@pytest.mark.parametrize("key", GUARDED, ids=" ".join)
async def test_another_tenants_people_find_and_change_nothing(house: House, key: tuple[str, str]) -> None:
    await house.connect()
    number = Number(OURS, Line.TWILIO, "nora")
    numbers: FakeNumbers = house.numbers  # type: ignore[attr-defined]
    await numbers.put(TENANT_ID, number)
    numbers.tenants = 2
    agents: EditAgents = house.agents  # type: ignore[attr-defined]
    await agents.save_draft(TENANT_ID, "desk", DESK, revision=0)
    await agents.publish(TENANT_ID, "desk", revision=1, by="ann", note="")
    drafted = await agents.save_draft(TENANT_ID, "desk", DESK, revision=1)
    before = await house.call_store.get(TENANT_ID, CALL_ID), await house.live_calls.get(CALL_ID)
    policy = house.outbound_calls.policies[TENANT_ID]
    for role in (Role.OPERATOR, Role.ADMIN):
        response = await knock(key, f"{role}@tenant-2")
        if role in DOORS[key].who or role is Role.ADMIN:
            assert response.status_code == DOORS[key].strangers, response.get_body()
        if response.status_code == 200:
            text = json.dumps(document_of(response))
            assert not any(ours in text for ours in (CALL_ID, CALL_SID, TENANT_ID, OURS, THEIRS))
    assert (await house.call_store.get(TENANT_ID, CALL_ID), await house.live_calls.get(CALL_ID)) == before
    assert await numbers.all(TENANT_ID) == [number]
    assert await agents.versions.one(TENANT_ID, "desk") == drafted
    assert house.outbound_calls.policies[TENANT_ID] == policy
    tooling = house.tooling  # type: ignore[attr-defined]
    assert (tooling.messages.messages, tooling.callbacks.callbacks) == (
        {(TENANT_ID, "m1"): MESSAGE},
        {(TENANT_ID, "c1"): CALLBACK},
    )
    assert (house.outbound_calls.attempts, house.outbound_calls.legs, house.carrier.hung_up) == ({}, [], [])


async def test_the_tenants_own_people_are_let_in(house: House) -> None:
    """Else the tests above would show nothing."""
    await house.connect()
    shown = await knock(("GET", "api/calls/{call_id}"), "operator")
    assert document_of(shown)["call_id"] == CALL_ID
    assert len(document_of(await knock(("GET", "api/calls"), "operator"))["calls"]) == 1
    assert (await knock(("PUT", "api/numbers/{provider}/{number}"), "admin")).status_code == 201


@pytest.mark.parametrize("key", [key for key, door in DOORS.items() if door.who == SIGNED], ids=" ".join)
@pytest.mark.parametrize("token", [None, "admin", "platform"])
async def test_no_webhook_is_taken_that_is_not_signed(house: House, key: tuple[str, str], token: str | None) -> None:
    await house.connect()
    before = await house.call_store.get(TENANT_ID, CALL_ID)
    response = await knock(key, token)
    is_asked_wrongly = key[0] == "GET" and not key[1].endswith("whisper")
    assert response.status_code == (400 if is_asked_wrongly else 401), response.get_body()
    assert await house.call_store.get(TENANT_ID, CALL_ID) == before


async def test_no_event_is_taken_that_the_realtime_service_did_not_send(house: House) -> None:
    key = ("POST", "api/realtime/events/{hub}/{event}")
    assert_problem(await knock(key, None), 401, "upstream_token")
    assert_problem(await knock(key, "forged"), 401, "token_malformed")
    asked = await knock(("OPTIONS", key[1]), None, headers={"webhook-request-origin": "evil.example"})
    assert asked.status_code == 403
