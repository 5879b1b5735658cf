"""Commands on a running call over HTTP: who may give them, what they may say, and what goes wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.api import commands
from shared.domain.errors import Conflict, InvalidRequest, NotFound, TelephonyError, VoiceAgentError
from shared.domain.telephony.commands import SendKeys, Transfer, TransferKind
from shared.domain.telephony.lines import Capability, Line, Unsupported
from tests.functions.conftest import Installer, assert_problem, request, user_function

GOOD = {
    "transfer_call": {"to": "+14155550188"},
    "send_keys": {"keys": "1"},
    "switch_recording": {"on": True},
    "switch_language": {"language": "hi-IN"},
}


class FakeCommanding:
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.error: VoiceAgentError | None = None

    async def transfer(self, tenant_id: str, call_id: str, transfer: Transfer) -> None:
        self._tell(tenant_id, call_id, transfer)

    async def send_keys(self, tenant_id: str, call_id: str, keys: SendKeys) -> None:
        self._tell(tenant_id, call_id, keys)

    async def record(self, tenant_id: str, call_id: str, *, on: bool) -> None:
        self._tell(tenant_id, call_id, on)

    async def order(self, tenant_id: str, call_id: str, wanted: str) -> str:
        self._tell(tenant_id, call_id, wanted)
        return "hi-IN"

    def _tell(self, *what: Any) -> None:
        if self.error:
            raise self.error
        self.told.append(what)


@pytest.fixture
def commanding(install: Installer) -> FakeCommanding:
    commanding = FakeCommanding()
    install(commands, calling=SimpleNamespace(command_call=commanding), switch_language=commanding)
    return commanding


async def give(name: str, document: object, token: str | None = "operator") -> func.HttpResponse:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    asked = request("POST", route={"call_id": "c1"}, body=body, token=token)
    response: func.HttpResponse = await user_function(getattr(commands, name))(asked)
    return response


@pytest.mark.parametrize(
    ("name", "document", "told"),
    [
        ("transfer_call", {"to": "+14155550188"}, Transfer("+14155550188")),
        (
            "transfer_call",
            {"to": "+14155550188", "kind": "warm", "whisper": "About a bill.", "keys": "w1", "ring_s": 40},
            Transfer("+14155550188", TransferKind.WARM, "About a bill.", "w1", 40),
        ),
        ("send_keys", {"keys": "12#w3"}, SendKeys("12#w3")),
        ("switch_recording", {"on": True}, True),
        ("switch_recording", {"on": False}, False),
    ],
)
async def test_commands(commanding: FakeCommanding, name: str, document: object, told: object) -> None:
    response = await give(name, document)
    assert (response.status_code, response.get_body()) == (202, b"")
    assert commanding.told == [("tenant-1", "c1", told)]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("unknown", 401), ("nobody", 403), ("caller", 403)])
async def test_who_may_not(commanding: FakeCommanding, name: str, token: str | None, status: int) -> None:
    response = await give(name, GOOD[name], token)
    assert response.status_code == status
    assert commanding.told == []


@pytest.mark.parametrize(
    ("name", "document", "code"),
    [
        ("transfer_call", {}, "to"),
        ("transfer_call", {"to": "4155550188"}, "number_malformed"),
        ("transfer_call", {"to": "+14155550188", "kind": "hot"}, "kind"),
        ("transfer_call", {"to": "+14155550188", "ring_s": 1}, "ring_out_of_range"),
        ("transfer_call", {"to": "+14155550188", "ring_s": "40"}, "ring_s"),
        ("transfer_call", {"to": "+14155550188", "ring_s": True}, "ring_s"),
        ("transfer_call", {"to": "+14155550188", "whisper": "x" * 501}, "whisper_too_long"),
        ("transfer_call", {"to": "+14155550188", "whispers": "x"}, "unknown_field"),
        ("send_keys", {"keys": "12a"}, "keys_malformed"),
        ("send_keys", {"keys": 12}, "keys"),
        ("switch_recording", {}, "on"),
        ("switch_recording", {"on": "yes"}, "on"),
        ("switch_language", {}, "language"),
        ("switch_language", {"language": 1}, "language"),
        ("switch_language", {"language": "hi", "from": "en"}, "unknown_field"),
        ("send_keys", b"{", "not_json"),
        ("send_keys", [], "not_an_object"),
    ],
)
async def test_what_makes_no_sense(commanding: FakeCommanding, name: str, document: object, code: str) -> None:
    assert_problem(await give(name, document), 400, code)
    assert commanding.told == []


async def test_too_much(commanding: FakeCommanding) -> None:
    assert_problem(await give("send_keys", b"{" + b" " * 5000), 413, "body_too_large")


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("call_unknown", "there is no such call"), 404),
        (Conflict("call_not_running", "the call has ended"), 409),
        (Unsupported(Line.CONNECT, Capability.KEYS_OUT), 400),
        (TelephonyError("twilio_unavailable", "no answer", retryable=True), 503),
        (TelephonyError("twilio_refused", "HTTP 400"), 502),
    ],
)
async def test_what_cannot_be_done(
    commanding: FakeCommanding, name: str, error: VoiceAgentError, status: int
) -> None:
    commanding.error = error
    assert_problem(await give(name, GOOD[name]), status, error.code)


async def test_the_language_is_told_as_the_agent_names_it(commanding: FakeCommanding) -> None:
    response = await give("switch_language", {"language": "HI"})
    assert (response.status_code, json.loads(response.get_body())) == (202, {"language": "hi-IN"})
    assert commanding.told == [("tenant-1", "c1", "HI")]


async def test_a_language_that_the_agent_does_not_speak(commanding: FakeCommanding) -> None:
    commanding.error = InvalidRequest("language_unknown", "this agent speaks en")
    assert_problem(await give("switch_language", {"language": "fr"}), 400, "language_unknown")
