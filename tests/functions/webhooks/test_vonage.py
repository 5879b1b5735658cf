"""Vonage's webhooks: an answer for every document, nothing without a signature, a second chance where it helps."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.functions as func
import pytest

from functions.webhooks import vonage
from shared.adapters.vonage.desk import VonageDesk
from shared.adapters.vonage.leg_notes import KnownLegs, LegNotes
from shared.adapters.vonage.own_links import OwnLinks
from shared.adapters.vonage.webhooks import VonageWebhooks
from shared.adapters.vonage.whispers import Whispers
from shared.domain.errors import Conflict, NotFound, StoreError, TelephonyError, VoiceAgentError
from shared.domain.manner import Manner
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.events import AnsweredBy, CallAnsweredBy, CallProgressed, RecordingReady, TransferEnded
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.text_turns import Next, TextReply
from shared.use_cases.calls.answer_call import Answered, CallOffered
from tests.fakes.call import NORA
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeOnce, FakeShortMemory
from tests.functions.conftest import Installer, assert_problem, request, user_function
from tests.shared.adapters.vonage.signed import ACCOUNTS, ANSWER, LEG, OTHER_LEG, authorization, body_of

FUNCTIONS = {
    "answer": vonage.vonage_answer,
    "event": vonage.vonage_event,
    "turn": vonage.vonage_turn,
    "transfer": vonage.vonage_transfer,
    "whisper": vonage.vonage_whisper,
}
LINKS = OwnLinks("https://voice.example.com", "secret")
REPLY = TextReply(turn=2, sentences=("Hello.",), told=1, next=Next.LISTEN, language="en", voice="")


class Wall:
    def now_ms(self) -> float:
        return time.time() * 1000


@dataclass
class Behind:
    """What is behind the doors. `error`: raised by whatever is asked next."""

    line: Line = Line.VONAGE
    error: VoiceAgentError | None = None
    reply: TextReply = REPLY
    agent: Any = NORA
    did: list[tuple[Any, ...]] = field(default_factory=list)
    legs: KnownLegs = field(default_factory=lambda: KnownLegs(FakeShortMemory()))
    whispers: Whispers = field(default_factory=lambda: Whispers(FakeShortMemory(), LINKS, FakeClock()))

    def services(self) -> dict[str, Any]:
        wall: Any = Wall()
        webhooks = VonageWebhooks(ACCOUNTS, FakeOnce(wall), wall)
        desk = VonageDesk(
            webhooks, LINKS, self.legs, self.whispers, "wss://media.example.com/client/hubs/vonage", self._token
        )
        doors = {"answer_call": self, "move_media": self, "take_text_turn": Turns(self)}
        notes = {"note_progress": self.note_progress, "note_transfer": self.note_transfer}
        calling = SimpleNamespace(fetch_recording=self)
        return {"carriers": type("Carriers", (), {"vonage": desk})(), "calling": calling, **doors, **notes}

    async def _token(self, call_id: str) -> str:
        return f"token-for-{call_id}"

    def do(self, *what: Any) -> None:
        if self.error is not None:
            raise self.error
        self.did.append(what)

    async def by_number(self, offer: CallOffered, orchestrations: Any) -> Answered:
        self.do(offer)
        return Answered("call-1", self.agent, self.line, "the-ticket")

    async def by_call(self, provider: Provider, call_id: str, provider_call_id: str, orchestrations: Any) -> Answered:
        self.do(call_id, provider_call_id)
        return Answered(call_id, self.agent, self.line, "the-ticket")

    async def resume(self, provider: Provider, provider_call_id: str, *, unless_leaving: bool = False) -> Answered:
        self.do("resume", provider_call_id, unless_leaving)
        return Answered("call-1", self.agent, self.line, "another-ticket")

    async def require(self, call_id: str, provider: Provider, provider_call_id: str) -> None:
        if (call_id, provider, provider_call_id) != ("call-1", Provider.VONAGE, LEG):
            raise NotFound("call_unknown", "another call")

    async def note_progress(self, event: Any, *, call_id: str = "") -> None:
        self.do(event, call_id)

    async def announced(self, event: Any, orchestrations: Any, *, call_id: str) -> None:
        self.do(event, call_id)

    async def note_transfer(self, event: TransferEnded) -> None:
        self.do(event)


class Turns:
    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    async def __call__(
        self, call_id: str, turn: int, words: str | None, *, after: int = 0, within_s: float, language: str = ""
    ) -> TextReply:
        assert within_s < 4.5
        self._behind.do("turn", call_id, turn, words, after)
        return self._behind.reply

    async def listen_again(self, call_id: str) -> TextReply:
        self._behind.do("again", call_id)
        return self._behind.reply


@pytest.fixture
def behind(install: Installer) -> Behind:
    behind = Behind()
    install(vonage, **behind.services())
    return behind


async def send(name: str, sent: func.HttpRequest) -> func.HttpResponse:
    function = user_function(FUNCTIONS[name])
    response: func.HttpResponse = await (function(sent, object()) if name in ("answer", "event") else function(sent))
    return response


def made(name: str, document: Any, query: dict[str, str], **signing: Any) -> func.HttpRequest:
    body = body_of(document)
    bearer = {} if signing.get("secret") == "" else {"authorization": authorization(body, time.time(), **signing)}
    headers = {"content-type": "application/json", **bearer}
    url = f"http://10.0.0.4:8080/api/webhooks/vonage/{name}"
    return request("POST", url, headers=headers, params=query, body=body)


async def post(name: str, document: Any, query: dict[str, str] | None = None, **signing: Any) -> func.HttpResponse:
    return await send(name, made(name, document, query or {}, **signing))


def actions(response: func.HttpResponse) -> list[dict[str, Any]]:
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.headers["Cache-Control"] == "no-store"
    found: list[dict[str, Any]] = json.loads(response.get_body())
    return found


def event(status: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "uuid": LEG, "conversation_uuid": "CON-1", **more}


@pytest.mark.parametrize("name", ["answer", "event", "turn", "transfer"])
@pytest.mark.parametrize("signing", [{"secret": ""}, {"secret": "x" * 32}, {"iat": 1}, {"application_id": "other"}])
async def test_nothing_without_a_signature(behind: Behind, name: str, signing: dict[str, Any]) -> None:
    assert_problem(await post(name, ANSWER, {"leg": LEG}, **signing), 401, "vonage_signature")
    assert behind.did == []


@pytest.mark.parametrize("name", ["answer", "event", "turn", "transfer"])
async def test_a_get_is_refused_and_told_why(behind: Behind, name: str) -> None:
    sent = request("GET", f"http://localhost/api/webhooks/vonage/{name}", params=ANSWER)
    response = await send(name, sent)
    assert_problem(response, 400, "method")
    assert b"POST" in response.get_body()


async def test_a_replay_is_refused(behind: Behind) -> None:
    sent = made("answer", ANSWER, {})
    assert actions(await send("answer", sent))
    assert_problem(await send("answer", sent), 401, "vonage_replay")
    assert len(behind.did) == 1


async def test_a_call_is_connected_to_our_socket(behind: Behind) -> None:
    (connect,) = actions(await post("answer", ANSWER))
    assert behind.did == [(CallOffered(Provider.VONAGE, LEG, "+14155550100", "+15550100014"),)]
    endpoint = connect["endpoint"][0]
    assert endpoint["headers"] == {"ticket": "the-ticket", "leg": LEG}
    assert endpoint["authorization"]["value"] == "Bearer token-for-call-1"
    assert await behind.legs.of(LEG) == LegNotes("call-1", "CON-1", "+15550100014", "https://api-us-3.vonage.com")


async def test_where_the_call_is_recorded_that_is_said_first(behind: Behind) -> None:
    behind.agent = replace(NORA, manner=Manner(recording_consent="This call is recorded."))
    talk, record, connect = actions(await post("answer", ANSWER))
    assert talk["text"] == "This call is recorded."
    assert (record["action"], connect["action"]) == ("record", "connect")


async def test_a_text_line_is_greeted_and_listened_to(behind: Behind) -> None:
    behind.line = Line.VONAGE_INPUT
    talk, listen = actions(await post("answer", ANSWER))
    assert talk["text"] == "Hello."
    assert listen["action"] == "input"
    assert behind.did[1:] == [("turn", "call-1", 0, None, 0)]


async def test_a_call_of_ours_is_answered(behind: Behind) -> None:
    document = {**ANSWER, "from": "15550100014", "to": "447700900001"}
    assert actions(await post("answer", document, {"call": "call-9"}))
    assert behind.did == [("call-9", LEG)]
    assert (await behind.legs.of(LEG)).own_number == "+15550100014"


@pytest.mark.parametrize("error", [NotFound("number_unknown", "nobody"), Conflict("call_ended", "over")])
async def test_a_call_nobody_takes_is_ended(behind: Behind, error: VoiceAgentError) -> None:
    behind.error = error
    assert actions(await post("answer", ANSWER)) == []


async def test_a_line_of_another_provider_is_no_line(behind: Behind) -> None:
    behind.line = Line.TWILIO
    assert_problem(await post("answer", ANSWER), 404, "line_unknown")


@pytest.mark.parametrize(
    "error", [StoreError("redis_unavailable", "x", retryable=True), TelephonyError("x", "x", retryable=True)]
)
async def test_what_may_work_later_is_a_503_and_may_come_again(behind: Behind, error: VoiceAgentError) -> None:
    behind.error = error
    sent = made("answer", ANSWER, {})
    assert_problem(await send("answer", sent), 503, error.code)
    behind.error = None
    assert actions(await send("answer", sent))


async def test_an_answer_that_is_late_is_a_503(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    async def slow(*_: Any) -> Answered:
        await asyncio.sleep(5)
        raise AssertionError

    monkeypatch.setattr(vonage, "_DEADLINE_S", 0.05)
    monkeypatch.setattr(behind, "by_number", slow)
    assert_problem(await post("answer", ANSWER), 503, "too_late")


# events


async def test_progress_is_noted(behind: Behind) -> None:
    response = await post("event", event("ringing"), {"call": "call-9"})
    assert (response.status_code, response.get_body()) == (204, b"")
    ((news, call_id),) = behind.did
    assert isinstance(news, CallProgressed)
    assert call_id == "call-9"
    assert await behind.legs.leg_of("call-9") == LEG


async def test_a_machine_is_noted_under_its_other_name(behind: Behind) -> None:
    document = {"status": "machine", "call_uuid": LEG, "sub_state": "beep_start"}
    assert (await post("event", document, {"call": "call-9"})).status_code == 204
    ((news, _),) = behind.did
    assert news == CallAnsweredBy(Provider.VONAGE, LEG, "machine:beep_start", AnsweredBy.MACHINE, beeped=True)


async def test_a_recording_is_the_callers(behind: Behind) -> None:
    document = {"recording_url": "https://api.nexmo.com/v1/files/1", "recording_uuid": "r", "conversation_uuid": "C"}
    assert (await post("event", document, {"leg": LEG})).status_code == 204
    ((news, _),) = behind.did
    assert isinstance(news, RecordingReady)
    assert news.provider_call_id == LEG


@pytest.mark.parametrize("document", [{"reason": "Syntax error in NCCO."}, {"status": "transfer"}, {}, {"status": 7}])
async def test_what_is_no_news_is_passed_over(behind: Behind, document: dict[str, Any]) -> None:
    assert (await post("event", document)).status_code == 204
    assert behind.did == []


async def test_a_socket_that_broke_is_opened_again(behind: Behind) -> None:
    await behind.legs.note(LEG, LegNotes("call-1", "CON-1", "+15550100014"))
    broken = event("disconnected", uuid=OTHER_LEG, to="wss://media.example.com/x")
    (connect,) = actions(await post("event", broken, {"leg": LEG}))
    assert connect["endpoint"][0]["headers"]["ticket"] == "another-ticket"
    assert connect["from"] == "15550100014"
    assert behind.did == [("resume", LEG, True)]
    behind.error = Conflict("call_ended", "over")
    assert (await post("event", broken, {"leg": LEG})).status_code == 204


# turns

HEARD = {"uuid": LEG, "speech": {"results": [{"text": "Hello", "confidence": "0.9"}]}, "dtmf": {"digits": None}}
TURN = {"call": "call-1", "leg": LEG, "turn": "3", "after": "0"}


async def test_words_are_taken_and_answered(behind: Behind) -> None:
    talk, listen = actions(await post("turn", HEARD, TURN))
    assert behind.did == [("turn", "call-1", 3, "Hello", 0)]
    assert talk["bargeIn"]
    following = parse_qs(urlsplit(listen["eventUrl"][0]).query)
    assert following["turn"] == ["3"], "the reply is that of turn 2"


async def test_silence_is_no_words(behind: Behind) -> None:
    silent = {"uuid": LEG, "speech": {"timeout_reason": "start_timeout", "results": []}}
    assert actions(await post("turn", silent, TURN))
    assert behind.did == [("turn", "call-1", 3, "", 0)]


async def test_who_comes_again_brings_no_words(behind: Behind) -> None:
    asked = {"payload": {"turn": "3"}, "conversation_uuid": "CON-1"}
    assert actions(await post("turn", asked, TURN | {"after": "2"}))
    assert behind.did == [("turn", "call-1", 3, None, 2)]


async def test_a_caller_is_put_through(behind: Behind) -> None:
    await behind.legs.note(LEG, LegNotes("call-1", "CON-1", "+15550100014"))
    behind.reply = TextReply(3, ("One moment.",), 1, Next.TRANSFER, "en", "", Transfer("+447700900001"))
    _, connect = actions(await post("turn", HEARD, TURN))
    assert connect["endpoint"] == [{"type": "phone", "number": "447700900001"}]
    assert connect["from"] == "15550100014"


@pytest.mark.parametrize(
    ("document", "turn"),
    [(HEARD, ("turn", "call-1", 3, "Hello", 0)), ({"uuid": LEG, "speech": {}}, ("turn", "call-1", 2, None, 1))],
    ids=["words", "silence"],
)
async def test_while_an_answer_is_not_whole_the_caller_is_listened_to(
    behind: Behind, document: dict[str, Any], turn: tuple[object, ...]
) -> None:
    """Words are the next turn's; silence asks for the rest of the answer."""
    assert actions(await post("turn", document, TURN | {"after": "1", "rest": "1"}))
    assert behind.did == [turn]


@pytest.mark.parametrize("query", [TURN | {"call": "call-2"}, TURN | {"leg": "another"}, {"turn": "3", "after": "0"}])
async def test_the_turn_of_another_call_is_none(behind: Behind, query: dict[str, str]) -> None:
    response = await post("turn", {"speech": {}}, query)
    assert actions(response) == []
    assert behind.did == []


async def test_the_words_of_another_leg_are_refused(behind: Behind) -> None:
    assert_problem(await post("turn", {**HEARD, "uuid": OTHER_LEG}, TURN), 400, "leg")


@pytest.mark.parametrize("turn", ["", "x", "-1", "1" * 9, "٣"])
async def test_a_turn_is_a_number(behind: Behind, turn: str) -> None:
    assert_problem(await post("turn", HEARD, TURN | {"turn": turn}), 400, "turn_malformed")


# transfers


async def test_a_transfer_that_is_taken_is_noted(behind: Behind) -> None:
    assert (await post("transfer", event("ringing", uuid=OTHER_LEG), {"leg": LEG})).status_code == 204
    assert behind.did == []
    assert (await post("transfer", event("answered", uuid=OTHER_LEG), {"leg": LEG})).status_code == 204
    ((news,),) = behind.did
    assert (news.provider_call_id, news.was_answered) == (LEG, True)


@pytest.mark.parametrize(("line", "action"), [(Line.VONAGE, "connect"), (Line.VONAGE_INPUT, "input")])
async def test_after_a_transfer_that_nobody_takes_the_agent_goes_on(behind: Behind, line: Line, action: str) -> None:
    behind.line = line
    await behind.legs.note(LEG, LegNotes("call-1", "CON-1", "+15550100014"))
    behind.reply = TextReply(2, (), 0, Next.LISTEN, "en", "")
    (following,) = actions(await post("transfer", event("busy", uuid=OTHER_LEG), {"leg": LEG}))
    assert following["action"] == action
    assert not behind.did[0][0].was_answered


async def test_a_whisper_is_given_to_whoever_has_its_address(behind: Behind) -> None:
    transfer = Transfer("+447700900001", TransferKind.WARM, "Asha, about an invoice", language="de")
    address = urlsplit(await behind.whispers.keep(transfer))
    params = {name: values[0] for name, values in parse_qs(address.query).items()}
    url = "http://localhost/api/webhooks/vonage/whisper"
    (talk,) = actions(await send("whisper", request("GET", url, params=params)))
    assert (talk["text"], talk["language"]) == ("Asha, about an invoice", "de-DE")
    params["id"] += "A"
    assert_problem(await send("whisper", request("GET", url, params=params)), 401, "vonage_link")
