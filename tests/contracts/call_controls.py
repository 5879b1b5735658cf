"""The providers whose commands are tried in `test_call_control.py`: how each is made, and how its API answers.

To join, add a `ProviderApi` to `APIS`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.adapters.connect.aws_api import AwsApi
from shared.adapters.connect.call_control import ConnectCallControl
from shared.adapters.connect.sigv4 import AwsKeys
from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.addresses import TwilioAddresses
from shared.adapters.twilio.call_control import TwilioCallControl
from shared.adapters.twilio.rest import TwilioRest
from shared.adapters.vonage.call_control import VonageCallControl
from shared.adapters.vonage.leg_notes import KnownLegs
from shared.adapters.vonage.own_links import OwnLinks
from shared.adapters.vonage.rest import VonageApi
from shared.adapters.vonage.whispers import Whispers
from shared.ports.call_control import CallControl
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeShortMemory

DIALLED = "+14155550100"


@dataclass(frozen=True)
class Asked:
    """A request that the API got."""

    method: str
    path: str
    query: dict[str, str]
    body: str


Answers = Callable[[Asked], web.Response]


@dataclass(frozen=True)
class ProviderApi:
    """`make`: the control of an account at an address, with a deadline in seconds. `well`: how the API answers as
    long as all is well: the call `call_id` runs, a dialled call is named `dialled_id`, and none was dialled before.
    `ended`: how it answers to a command for a call that has ended. `is_dial`: whether a request begins a call.
    """

    name: str
    make: Callable[[str, float], CallControl]
    call_id: str
    dialled_id: str
    well: Answers
    ended: Answers
    is_dial: Callable[[Asked], bool]


# Twilio

_TWILIO_ACCOUNT = "AC" + "0" * 32
_TWILIO_CALL, _TWILIO_DIALLED = "CA" + "1" * 32, "CA" + "2" * 32


def twilio_control(url: str, deadline_s: float = 5.0, *more: TwilioAccount) -> TwilioCallControl:
    accounts = TwilioAccounts(TwilioAccount(_TWILIO_ACCOUNT, ("secret", "before")), *more)
    return TwilioCallControl(
        TwilioRest(accounts, url, deadline_s=deadline_s),
        TwilioAddresses("https://voice.example.com", "wss://media.example.com/m", "wss://media.example.com/r"),
        now_ms=lambda: 1_795_341_600_000.0,
        errand=_no_errand,
    )


@asynccontextmanager
async def _no_errand(_call: str) -> AsyncGenerator[None, None]:
    yield


def _twilio_well(asked: Asked) -> web.Response:
    if asked.path.endswith("/Calls.json"):
        created = web.json_response({"sid": _TWILIO_DIALLED, "status": "queued"}, status=201)
        return created if asked.method == "POST" else web.json_response({"calls": []})
    if asked.path.endswith("/Recordings.json") and asked.method == "GET":
        return web.json_response({"recordings": []})
    call = {"sid": _TWILIO_CALL, "status": "in-progress", "direction": "inbound"}
    return web.json_response(call | {"from": "+14155550100", "to": "+15550100001"})


def _twilio_ended(asked: Asked) -> web.Response:
    if asked.method == "GET":
        return web.json_response({"sid": _TWILIO_CALL, "status": "completed", "direction": "inbound"})
    gone = {"code": 21220, "message": "Call is not in-progress. Cannot redirect.", "status": 400}
    return web.json_response(gone, status=400)


# Vonage

_VONAGE_CALL, _VONAGE_DIALLED = "63f61863-4a51-4f6b-86e1-46edebcf9356", "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"


@cache
def rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def vonage_control(url: str, deadline_s: float = 5.0) -> VonageCallControl:
    api = VonageApi(application_id="application-1", private_key=rsa_key(), base_url=url, deadline_s=deadline_s)
    links, memory = OwnLinks("https://voice.example.com", "secret"), FakeShortMemory()
    return VonageCallControl(api, KnownLegs(memory), links, Whispers(memory, links, FakeClock()))


def _vonage_call(status: str) -> dict[str, object]:
    ends = {"from": {"type": "phone", "number": "14155550100"}, "to": {"type": "phone", "number": "15550100001"}}
    return {"uuid": _VONAGE_CALL, "status": status, "direction": "inbound", "conversation_uuid": "CON-1", **ends}


def _vonage_well(asked: Asked) -> web.Response:
    if asked.path == "/v1/calls" and asked.method == "POST":
        created = {"uuid": _VONAGE_DIALLED, "status": "started", "conversation_uuid": "CON-2"}
        return web.json_response(created, status=201)
    if asked.path == "/v1/calls":
        return web.json_response({"_embedded": {"calls": [_vonage_call("answered")]}})
    return web.json_response(_vonage_call("answered")) if asked.method == "GET" else web.Response(status=204)


def _vonage_ended(asked: Asked) -> web.Response:
    if asked.method == "GET":
        return web.json_response(_vonage_call("completed"))
    return web.json_response({"title": "Bad Request", "detail": "The call is not running"}, status=400)


# Amazon Connect

_CONTACT, _CONTACT_DIALLED = "4a573372-1f28-4e26-b97b-000000000001", "4a573372-1f28-4e26-b97b-000000000002"


def connect_control(url: str, deadline_s: float = 5.0) -> ConnectCallControl:
    api = AwsApi(
        keys=AwsKeys("AKIDEXAMPLE", "secret"),
        region="us-east-1",
        now=lambda: datetime.now(UTC),
        base_url=url,
        deadline_s=deadline_s,
    )
    return ConnectCallControl(api, instance_id="instance-1", flow_id="flow-1")


def _connect_well(asked: Asked) -> web.Response:
    if asked.method == "PUT":
        return web.json_response({"ContactId": _CONTACT_DIALLED})
    if asked.method == "GET":
        contact = {"Id": _CONTACT, "InitiationMethod": "INBOUND", "ConnectedToSystemTimestamp": 1763800000.5}
        return web.json_response({"Contact": contact})
    return web.json_response({})


def _connect_ended(asked: Asked) -> web.Response:
    gone = {"x-amzn-ErrorType": "ContactNotFoundException:http://internal.amazon.com/coral/"}
    return web.json_response({"Message": "The contact is over."}, status=410, headers=gone)


APIS = (
    ProviderApi(
        "connect",
        connect_control,
        _CONTACT,
        _CONTACT_DIALLED,
        _connect_well,
        _connect_ended,
        lambda asked: asked.method == "PUT",
    ),
    ProviderApi(
        "vonage",
        vonage_control,
        _VONAGE_CALL,
        _VONAGE_DIALLED,
        _vonage_well,
        _vonage_ended,
        lambda asked: asked.method == "POST" and asked.path == "/v1/calls",
    ),
    ProviderApi(
        "twilio",
        twilio_control,
        _TWILIO_CALL,
        _TWILIO_DIALLED,
        _twilio_well,
        _twilio_ended,
        lambda asked: asked.method == "POST" and asked.path.endswith("/Calls.json"),
    ),
)
