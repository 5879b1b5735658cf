"""What Vonage's API is asked, by whom, and where."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.adapters.vonage.call_control import VonageCallControl
from shared.adapters.vonage.leg_notes import KnownLegs, LegNotes
from shared.adapters.vonage.own_links import OwnLinks
from shared.adapters.vonage.rest import VonageApi
from shared.adapters.vonage.whispers import Whisper, Whispers
from shared.domain.errors import Conflict, InvalidRequest, TelephonyError
from shared.domain.telephony.commands import Dial, SendKeys, Transfer, TransferKind, Voicemail
from shared.domain.telephony.progress import CallState
from tests.contracts.call_controls import rsa_key
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeShortMemory
from tests.shared.adapters.vonage.signed import LEG, OTHER_LEG

REGION = "https://api-us-3.vonage.com"
DIAL = Dial("attempt-1", "call-1", "+447700900001", "+442079460000", voicemail=Voicemail.LEAVE_MESSAGE)


class Vonage:
    """An API that answers as it is told, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, base_url: str = "https://api.nexmo.com") -> None:
        self.asked: list[httpx.Request] = []
        self.answers: dict[tuple[str, str], httpx.Response] = {}
        transport = httpx.MockTransport(self._answer)
        real = httpx.AsyncClient
        monkeypatch.setattr(httpx, "AsyncClient", lambda **options: real(**{**options, "transport": transport}))
        self.legs = KnownLegs(FakeShortMemory())
        api = VonageApi(application_id="application-1", private_key=rsa_key().replace("\n", "\\n"), base_url=base_url)
        links = OwnLinks("https://voice.example.com", "secret")
        self.whispers = Whispers(FakeShortMemory(), links, FakeClock())
        self.control = VonageCallControl(api, self.legs, links, self.whispers)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answers.get((request.method, request.url.path), httpx.Response(204))

    @property
    def order(self) -> Any:
        """The last order's document."""
        import json

        return json.loads(self.asked[-1].content)


@pytest.fixture
def vonage(monkeypatch: pytest.MonkeyPatch) -> Vonage:
    return Vonage(monkeypatch)


async def test_the_application_signs(vonage: Vonage) -> None:
    await vonage.control.hang_up(LEG)
    token = vonage.asked[0].headers["Authorization"].removeprefix("Bearer ")
    public = load_pem_private_key(rsa_key().encode(), None).public_key()
    claims = jwt.decode(token, public, algorithms=["RS256"])  # type: ignore[arg-type]
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert claims["application_id"] == "application-1"
    assert claims["jti"]
    assert claims["iat"] <= time.time() < claims["exp"] <= time.time() + 900
    await vonage.control.hang_up(LEG)
    assert vonage.asked[1].headers["Authorization"] == vonage.asked[0].headers["Authorization"], "it is kept"


async def test_a_key_that_is_none_is_told() -> None:
    api = VonageApi(application_id="a", private_key="none", base_url="https://api.nexmo.com")
    with pytest.raises(TelephonyError) as error:
        await api.ask("x", "GET", "/v1/calls")
    assert error.value.code == "vonage_private_key"


@pytest.mark.parametrize(
    ("base_url", "region_url", "host"),
    [
        ("https://api.nexmo.com", REGION, "api-us-3.vonage.com"),
        ("https://api.nexmo.com", "", "api.nexmo.com"),
        ("https://api.nexmo.com", "https://evil.example", "api.nexmo.com"),
        ("http://localhost:7083", REGION, "localhost"),
    ],
)
async def test_a_call_is_controlled_where_it_is(
    monkeypatch: pytest.MonkeyPatch, base_url: str, region_url: str, host: str
) -> None:
    vonage = Vonage(monkeypatch, base_url)
    await vonage.legs.note(LEG, LegNotes("call-1", "CON-1", "+442079460000", region_url))
    await vonage.control.hang_up(LEG)
    assert vonage.asked[0].url.host == host
    assert vonage.order == {"action": "hangup"}


async def test_a_transfer_shows_our_number(vonage: Vonage) -> None:
    await vonage.legs.note(LEG, LegNotes("call-1", "CON-1", "+442079460000"))
    await vonage.control.transfer(LEG, Transfer("+447700900001"))
    (connect,) = vonage.order["destination"]["ncco"]
    assert (connect["action"], connect["from"]) == ("connect", "442079460000")
    assert len(vonage.asked) == 1


async def test_words_for_a_person_stay_with_us(vonage: Vonage) -> None:
    await vonage.legs.note(LEG, LegNotes("call-1", "CON-1", "+442079460000"))
    transfer = Transfer("+447700900001", TransferKind.WARM, "Asha, about a bill.", language="de")
    await vonage.control.transfer(LEG, transfer)
    assert b"Asha" not in vonage.asked[0].content
    (connect,) = vonage.order["destination"]["ncco"]
    link = dict(parse_qsl(urlsplit(connect["endpoint"][0]["onAnswer"]["url"]).query))
    assert await vonage.whispers.of(link["id"], link["until"], link["mac"]) == Whisper("Asha, about a bill.", "de")


async def test_our_number_is_asked_for_where_nobody_noted_it(vonage: Vonage) -> None:
    call = {"uuid": LEG, "direction": "outbound", "from": {"type": "phone", "number": "442079460000"}}
    vonage.answers["GET", f"/v1/calls/{LEG}"] = httpx.Response(200, json={**call, "conversation_uuid": "CON-1"})
    await vonage.control.transfer(LEG, Transfer("+447700900001"))
    assert vonage.order["destination"]["ncco"][0]["from"] == "442079460000"


async def test_keys_that_vonage_has_not_are_refused_before_it_is_asked(vonage: Vonage) -> None:
    with pytest.raises(InvalidRequest):
        await vonage.control.send_keys(LEG, SendKeys("1A"))
    assert vonage.asked == []
    await vonage.control.send_keys(LEG, SendKeys("1w#"))
    assert vonage.order == {"digits": "1p#"}


async def test_the_conversation_is_recorded(vonage: Vonage) -> None:
    await vonage.legs.note(LEG, LegNotes("call-1", "CON-1", "+442079460000"))
    await vonage.control.record(LEG, on=True)
    assert vonage.asked[0].url.path == "/v1/conversations/CON-1/record"
    assert vonage.order["action"] == "start"
    await vonage.control.record(LEG, on=False)
    assert vonage.order["action"] == "stop"
    with pytest.raises(Conflict):
        await vonage.control.record(OTHER_LEG, on=True)


async def test_a_dial_bears_our_call_and_what_a_machine_is_told(vonage: Vonage) -> None:
    created = {"uuid": OTHER_LEG, "conversation_uuid": "CON-2"}
    vonage.answers["POST", "/v1/calls"] = httpx.Response(201, json=created)
    assert await vonage.control.dial(DIAL) == OTHER_LEG
    order = vonage.order
    assert order["to"] == [{"type": "phone", "number": "447700900001"}]
    assert order["from"] == {"type": "phone", "number": "442079460000"}
    assert order["answer_url"] == ["https://voice.example.com/api/webhooks/vonage/answer?call=call-1"]
    assert order["event_url"] == ["https://voice.example.com/api/webhooks/vonage/event?call=call-1"]
    assert (order["answer_method"], order["event_method"]) == ("POST", "POST")
    detection = order["advanced_machine_detection"]
    assert detection == {"behavior": "continue", "mode": "detect_beep", "beep_timeout": 45}
    assert await vonage.control.find_dialled(DIAL) == OTHER_LEG, "which was noted"


def listed(*calls: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"_embedded": {"calls": list(calls)}})


def call(
    leg: str, to: str = "447700900001", own: str = "442079460000", direction: str = "outbound"
) -> dict[str, Any]:
    ends = {"to": {"type": "phone", "number": to}, "from": {"type": "phone", "number": own}}
    return {"uuid": leg, "direction": direction, "conversation_uuid": "CON-3", **ends}


async def test_a_lost_dial_is_found_by_its_numbers_unless_it_is_another_calls(vonage: Vonage) -> None:
    await vonage.legs.note("another-calls-leg-1", LegNotes("call-2"))
    vonage.answers["GET", "/v1/calls"] = listed(
        call("another-calls-leg-1"),
        call("x" * 20, to="447700900002"),
        call("y" * 20, own="442079460001"),
        call("z" * 20, direction="inbound"),
        call(OTHER_LEG),
    )
    assert await vonage.control.find_dialled(DIAL) == OTHER_LEG
    query = vonage.asked[0].url.params
    assert query["order"] == "desc"
    assert query["date_start"] < query["date_end"]
    vonage.answers["GET", "/v1/calls"] = listed(call("another-calls-leg-1"))
    assert await vonage.control.find_dialled(Dial("attempt-3", "call-3", DIAL.to, DIAL.caller_id)) is None


async def test_a_lost_dial_is_not_looked_for_among_older_calls(vonage: Vonage) -> None:
    vonage.answers["GET", "/v1/calls"] = listed()
    asked_ms = datetime(2026, 11, 22, 20, 0, tzinfo=UTC).timestamp() * 1000
    await vonage.control.find_dialled(replace(DIAL, asked_ms=asked_ms))
    assert vonage.asked[0].url.params["date_start"] == "2026-11-22T19:59:55Z"


@pytest.mark.parametrize(("status", "state"), [("answered", CallState.IN_PROGRESS), ("busy", CallState.BUSY)])
async def test_how_far_a_call_has_come(vonage: Vonage, status: str, state: CallState) -> None:
    vonage.answers["GET", f"/v1/calls/{LEG}"] = httpx.Response(200, json={"uuid": LEG, "status": status})
    assert await vonage.control.state_of(LEG) is state
