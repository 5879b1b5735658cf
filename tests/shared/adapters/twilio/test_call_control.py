"""What Twilio's REST API is asked, to the field; and which of several calls is the one that was dialled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from shared.adapters.twilio.accounts import TwilioAccount
from shared.adapters.twilio.rest import checked_base_url
from shared.domain.errors import Conflict, InvalidRequest, TelephonyError
from shared.domain.telephony.commands import Dial, SendKeys, Transfer, TransferKind, Voicemail
from shared.domain.telephony.progress import CallState
from tests.contracts.call_controls import APIS, Asked, twilio_control
from tests.contracts.speech_service import stub_service

ACCOUNT, SUB = "AC" + "0" * 32, "AC" + "9" * 32
CALL = APIS[0].call_id
DOOR = "https://voice.example.com/api/webhooks/twilio"
DIAL = Dial("attempt-1", "call-1", "+14155550100", "+15550100001", ring_s=20, longest_s=600)
Answer = tuple[int, Mapping[str, object]]


class Api:
    """Answers by method and end of path; everything else is not found."""

    def __init__(self, answers: Mapping[str, Answer | list[Answer]] | None = None) -> None:
        self.asked: list[Asked] = []
        self._answers = {name: list(a) if isinstance(a, list) else [a] for name, a in (answers or {}).items()}

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(Asked(request.method, request.path, dict(request.query), await request.text()))
        for name, answers in self._answers.items():
            if f"{request.method} {request.path}".endswith(name.partition(" ")[2]) and name.startswith(
                request.method
            ):
                status, document = answers.pop(0) if len(answers) > 1 else answers[0]
                return web.json_response(document, status=status)
        return web.json_response({"code": 20404}, status=404)

    def form(self, number: int = -1) -> dict[str, list[str]]:
        return parse_qs(self.asked[number].body, keep_blank_values=True)


RUNNING: Answer = (
    200,
    {"sid": CALL, "status": "in-progress", "direction": "inbound", "from": "+1", "to": "+15550100001"},
)


async def test_hanging_up() -> None:
    api = Api({f"POST /Calls/{CALL}.json": (200, {})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).hang_up(CALL)
    assert [(a.method, a.path) for a in api.asked] == [("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json")]
    assert api.form() == {"Status": ["completed"]}


async def test_a_call_of_a_subaccount_is_looked_for_there() -> None:
    path = f"/2010-04-01/Accounts/{SUB}/Calls/{CALL}.json"
    api = Api({f"POST {path}": (200, {})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url, 5.0, TwilioAccount(SUB, ("sub",))).hang_up(CALL)
    assert [asked.path.split("/")[3] for asked in api.asked] == [ACCOUNT, SUB]


async def test_a_cold_transfer_redirects_the_call() -> None:
    api = Api({f"POST /Calls/{CALL}.json": (200, {})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).transfer(CALL, Transfer("+14155550199", language="de"))
    (twiml,) = api.form()["Twiml"]
    assert "<Number>+14155550199</Number>" in twiml
    assert f'action="{DOOR}/transfer?language=de"' in twiml


async def test_a_warm_transfer_calls_the_person_and_leaves_the_caller_alone() -> None:
    transfer = Transfer("+14155550199", TransferKind.WARM, "It is about a bill.", keys="1", ring_s=15)
    api = Api({f"GET /Calls/{CALL}.json": RUNNING, "POST /Calls.json": (201, {"sid": "CA2"})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).transfer(CALL, transfer)
    assert [asked.method for asked in api.asked] == ["GET", "POST"]
    form = api.form()
    assert {name: form[name] for name in ("To", "From", "Timeout", "SendDigits", "MachineDetection", "AsyncAmd")} == {
        "To": ["+14155550199"],
        "From": ["+15550100001"],
        "Timeout": ["15"],
        "SendDigits": ["1"],
        "MachineDetection": ["Enable"],
        "AsyncAmd": ["true"],
    }
    assert "TimeLimit" not in form
    assert form["StatusCallback"] == [f"{DOOR}/person/told?caller={CALL}"]
    assert form["AsyncAmdStatusCallback"] == [f"{DOOR}/person/machine?caller={CALL}"]
    assert "It is about a bill." in form["Twiml"][0]
    assert f"{DOOR}/person/join?caller={CALL}" in form["Twiml"][0]


async def test_a_person_is_called_for_as_long_as_is_paid_for() -> None:
    api = Api({f"GET /Calls/{CALL}.json": RUNNING, "POST /Calls.json": (201, {"sid": "CA2"})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).transfer(CALL, Transfer("+14155550199", TransferKind.WARM, longest_s=600))
    assert api.form()["TimeLimit"] == ["600"]


async def test_the_person_of_an_outbound_call_is_shown_our_number() -> None:
    outbound = RUNNING[1] | {"direction": "outbound-api", "from": "+15550100001", "to": "+14155550100"}
    api = Api({f"GET /Calls/{CALL}.json": (200, outbound), "POST /Calls.json": (201, {"sid": "CA2"})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).transfer(CALL, Transfer("+14155550199", TransferKind.WARM))
    assert api.form()["From"] == ["+15550100001"]


async def test_a_person_who_may_be_called_already_is_not_called_again() -> None:
    api = Api({f"GET /Calls/{CALL}.json": RUNNING, "POST /Calls.json": (500, {})})
    async with stub_service(api.answer) as service:
        with pytest.raises(TelephonyError) as error:
            await twilio_control(service.url).transfer(CALL, Transfer("+14155550199", TransferKind.WARM))
    assert (error.value.code, error.value.retryable) == ("transfer_uncertain", False)
    assert [asked.method for asked in api.asked] == ["GET", "POST"]


async def test_caller_and_person_meet_within_one_account() -> None:
    api = Api({f"POST /Accounts/{ACCOUNT}/Calls/{CALL}.json": (200, {})})
    async with stub_service(api.answer) as service:
        control = twilio_control(service.url, 5.0, TwilioAccount(SUB, ("sub",)))
        await control.put_through(CALL, ACCOUNT)
        assert f">transfer-{CALL}</Conference>" in api.form()["Twiml"][0]
        for account in (SUB, "AC" + "5" * 32, ""):
            with pytest.raises(Conflict):
                await control.put_through(CALL, account)
    assert [asked.path.split("/")[3] for asked in api.asked] == [ACCOUNT, SUB]


async def test_keys_are_played_once() -> None:
    api = Api({f"POST /Calls/{CALL}.json": [(500, {}), (200, {})]})
    async with stub_service(api.answer) as service:
        with pytest.raises(TelephonyError):
            await twilio_control(service.url).send_keys(CALL, SendKeys("w12#"))
    assert len(api.asked) == 1, "a second time they might be played twice"
    assert '<Play digits="w12#" />' in api.form()["Twiml"][0]


async def test_recording() -> None:
    recordings = f"/Calls/{CALL}/Recordings"
    api = Api(
        {
            f"GET {recordings}.json": (200, {"recordings": [{"status": "completed"}]}),
            f"GET /Calls/{CALL}.json": RUNNING,
            f"POST {recordings}.json": (201, {}),
        }
    )
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).record(CALL, on=True)
        assert api.form() == {
            "RecordingChannels": ["dual"],
            "RecordingStatusCallback": [f"{DOOR}/recording"],
            "RecordingStatusCallbackEvent": ["completed", "absent"],
        }
        await twilio_control(service.url).record(CALL, on=False)
    assert sum(asked.method == "POST" for asked in api.asked) == 1, "nothing runs that could be stopped"


@pytest.mark.parametrize(("on", "posts"), [(True, 0), (False, 1)])
async def test_a_recording_that_runs(on: bool, posts: int) -> None:
    recordings = f"/Calls/{CALL}/Recordings"
    api = Api(
        {
            f"GET {recordings}.json": (200, {"recordings": [{"status": "in-progress"}]}),
            f"GET /Calls/{CALL}.json": RUNNING,
            f"POST {recordings}/Twilio.CURRENT.json": (200, {}),
        }
    )
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).record(CALL, on=on)
    assert sum(asked.method == "POST" for asked in api.asked) == posts


async def test_a_message_for_a_machine() -> None:
    api = Api({f"POST /Calls/{CALL}.json": (200, {})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).leave_message(CALL, "Bitte rufen Sie an.", language="de")
    assert '<Say language="de-DE">Bitte rufen Sie an.</Say><Hangup />' in api.form()["Twiml"][0]


@pytest.mark.parametrize(
    ("voicemail", "detection"),
    [(Voicemail.IGNORE, None), (Voicemail.HANG_UP, "Enable"), (Voicemail.LEAVE_MESSAGE, "DetectMessageEnd")],
)
async def test_dialling(voicemail: Voicemail, detection: str | None) -> None:
    api = Api({"POST /Calls.json": (201, {"sid": "CA2"})})
    dial = Dial("a", "call-1", "+14155550100", "+15550100001", ring_s=20, longest_s=600, voicemail=voicemail)
    async with stub_service(api.answer) as service:
        assert await twilio_control(service.url).dial(dial) == "CA2"
    form = api.form()
    detecting = {name: form.pop(name) for name in list(form) if "Amd" in name or name == "MachineDetection"}
    assert form == {
        "To": ["+14155550100"],
        "From": ["+15550100001"],
        "Url": [f"{DOOR}/voice?call=call-1"],
        "Method": ["POST"],
        "StatusCallback": [f"{DOOR}/status?call=call-1"],
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": ["20"],
        "TimeLimit": ["600"],
    }
    expected = {
        "MachineDetection": [detection],
        "AsyncAmd": ["true"],
        "AsyncAmdStatusCallback": [f"{DOOR}/amd?call=call-1"],
    }
    assert detecting == (expected if detection else {})


async def test_the_account_of_the_callers_number_is_the_one_that_dials() -> None:
    other = (400, {"code": 21210, "message": "not verified for your account"})
    api = Api({f"POST /{ACCOUNT}/Calls.json": other, f"POST /{SUB}/Calls.json": (201, {"sid": "CA2"})})
    async with stub_service(api.answer) as service:
        assert await twilio_control(service.url, 5.0, TwilioAccount(SUB, ("sub",))).dial(DIAL) == "CA2"


def listed(sid: str, **changes: Any) -> dict[str, Any]:
    call = {"sid": sid, "to": DIAL.to, "from": DIAL.caller_id, "direction": "outbound-api"}
    return call | {"date_created": "Sun, 22 Nov 2026 09:59:58 +0000"} | changes


def asked_of(call_id: str) -> Answer:
    return 200, {"events": [{"request": {"url": f"{DOOR}/status?call={call_id}", "method": "POST"}}]}


FindCase = tuple[list[dict[str, Any]], dict[str, Answer], str | None]


@pytest.mark.parametrize(
    ("calls", "events", "expected"),
    [
        ([], {}, None),
        ([listed("CA2")], {}, "CA2"),
        ([listed("CA2")], {"CA2": asked_of("call-1")}, "CA2"),
        ([listed("CA2")], {"CA2": asked_of("another")}, None),
        ([listed("CA3"), listed("CA2")], {"CA3": asked_of("another")}, "CA2"),
        ([listed("CA3"), listed("CA2")], {"CA2": asked_of("call-1")}, "CA2"),
        ([listed("CA2", direction="inbound")], {}, None),
        ([listed("CA2", to="+14155550111")], {}, None),
        ([listed("CA2", date_created="Sun, 22 Nov 2026 09:30:00 +0000")], {}, None),
        ([listed("CA2", date_created="x"), listed("CA3", date_created=None), {"sid": 5}], {}, None),
        ([listed("CA2")], {"CA2": (200, {"events": [5, {"request": None}, {"request": {"url": 7}}]})}, "CA2"),
    ],
)
async def test_finding_what_was_dialled(
    calls: list[dict[str, Any]], events: dict[str, Answer], expected: str | None
) -> None:
    answers: dict[str, Answer | list[Answer]] = {"GET /Calls.json": (200, {"calls": calls})}
    answers |= {f"GET /Calls/{sid}/Events.json": answer for sid, answer in events.items()}
    api = Api(answers)
    async with stub_service(api.answer) as service:
        assert await twilio_control(service.url).find_dialled(DIAL) == expected
    assert api.asked[0].query == {"To": DIAL.to, "From": DIAL.caller_id, "PageSize": "50"}


async def test_an_older_call_to_the_same_person_is_not_taken_for_it() -> None:
    dial = Dial("a", "call-1", DIAL.to, DIAL.caller_id, asked_ms=1_795_341_590_000.0)
    older = listed("CA2", date_created="Sun, 22 Nov 2026 09:59:40 +0000")
    async with stub_service(Api({"GET /Calls.json": (200, {"calls": [listed("CA3"), older]})}).answer) as service:
        assert await twilio_control(service.url).find_dialled(dial) == "CA3"


async def test_which_of_two_it_is_is_not_guessed() -> None:
    async with stub_service(
        Api({"GET /Calls.json": (200, {"calls": [listed("CA3"), listed("CA2")]})}).answer
    ) as service:
        with pytest.raises(TelephonyError) as error:
            await twilio_control(service.url).find_dialled(DIAL)
    assert (error.value.code, error.value.retryable) == ("dial_ambiguous", True)


@pytest.mark.parametrize(
    ("status", "state"), [("ringing", CallState.RINGING), ("no-answer", CallState.NO_ANSWER), ("new", None)]
)
async def test_how_far_a_call_has_come(status: str, state: CallState | None) -> None:
    async with stub_service(Api({f"GET /Calls/{CALL}.json": (200, {"status": status})}).answer) as service:
        assert await twilio_control(service.url).state_of(CALL) is state


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twilio.com",
        "https://api.dublin.ie1.twilio.com/",
        "https://api.sydney.au1.twilio.com",
        "http://localhost:7083",
    ],
)
def test_the_addresses_of_the_api(url: str) -> None:
    assert checked_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["https://api.ie1.twilio.com", "https://api.dublin.twilio.com", "https://twilio.com.twilio.com", "x", ""]
)
def test_an_edge_without_its_region(url: str) -> None:
    with pytest.raises(InvalidRequest):
        checked_base_url(url)


async def test_nobody_calls_at_another_tenants_expense() -> None:
    """A number of a subaccount's is no tenant's but those that it is for, whoever has named it as an own one."""
    path = f"/2010-04-01/Accounts/{SUB}/Calls.json"
    not_ours: Answer = (400, {"code": 21210})
    api = Api({f"POST {path}": (201, {"sid": "CA2"}), "POST /Calls.json": not_ours, "GET /Calls.json": (200, {})})
    async with stub_service(api.answer) as service:
        control = twilio_control(service.url, 5.0, TwilioAccount(SUB, ("sub",), tenants=frozenset({"globex"})))
        with pytest.raises(TelephonyError):
            await control.dial(replace(DIAL, tenant_id="acme"))
        assert await control.find_dialled(replace(DIAL, tenant_id="acme")) is None
        assert SUB not in {asked.path.split("/")[3] for asked in api.asked}
        assert await control.dial(replace(DIAL, tenant_id="globex")) == "CA2"
