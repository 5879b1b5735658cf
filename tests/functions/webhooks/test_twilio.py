"""Twilio's webhooks about a call and its socket: an answer for every form, and nothing without a signature."""

from __future__ import annotations

import pytest

from functions.webhooks import twilio_requests
from shared.domain.errors import Conflict, NotFound, StoreError, VoiceAgentError
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.events import AnsweredBy, CallAnsweredBy, CallProgressed, Progress, RecordingReady
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.orders import transfer_text
from shared.use_cases.calls.answer_call import CallOffered
from tests.functions.conftest import Installer, assert_problem
from tests.functions.webhooks.twilio_doors import FUNCTIONS, MODULES, Behind, post, tags
from tests.shared.adapters.twilio.requests import CALL_SID, SUB_TOKEN, SUBACCOUNT


@pytest.fixture
def behind(install: Installer) -> Behind:
    behind = Behind()
    install(*MODULES, twilio_requests, **behind.services())
    return behind


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("secret", ["", "other", SUB_TOKEN])
async def test_nothing_without_a_signature(behind: Behind, name: str, secret: str) -> None:
    response = await post(name, secret=secret, CallStatus="completed", AnsweredBy="machine_start")
    assert_problem(response, 401, "twilio_signature")
    assert behind == Behind()


async def test_a_subaccount_is_let_in(behind: Behind) -> None:
    assert tags(await post("voice", secret=SUB_TOKEN, AccountSid=SUBACCOUNT)) == ["Connect"]
    await post("voice")
    assert [offer.tenants for offer in behind.offers] == [{"globex"}, None], "which it may bring calls to"


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_a_tenants_own_account_does_not_speak_of_others_calls(behind: Behind, name: str) -> None:
    behind.owners = {CALL_SID: "acme"}
    told = {"CallStatus": "completed", "AnsweredBy": "machine_start"}
    response = await post(name, secret=SUB_TOKEN, AccountSid=SUBACCOUNT, **told)
    assert_problem(response, 401, "twilio_account")
    behind.owners = {}
    assert behind == Behind()
    behind.owners = {CALL_SID: "globex"}
    assert (await post(name, secret=SUB_TOKEN, AccountSid=SUBACCOUNT, **told)).status_code != 401


@pytest.mark.parametrize("query", ["?call=call-1", "?caller=" + CALL_SID])
async def test_nor_of_a_call_that_our_address_names(behind: Behind, query: str) -> None:
    behind.owners = {"call-1": "acme", CALL_SID: "acme"}
    signed = {"AccountSid": SUBACCOUNT, "CallSid": "CA" + "e" * 32, "CallStatus": "completed"}
    assert_problem(await post("status", query=query, secret=SUB_TOKEN, **signed), 401, "twilio_account")
    assert behind.progress == []


@pytest.mark.parametrize(
    ("line", "verbs"),
    [(Line.TWILIO, ["Connect"]), (Line.TWILIO_RELAY, ["Connect"]), (Line.TWILIO_GATHER, ["Gather"])],
)
async def test_a_call_is_answered_on_its_line(behind: Behind, line: Line, verbs: list[str]) -> None:
    behind.line = line
    response = await post("voice", CallStatus="ringing")
    assert tags(response) == verbs
    assert behind.offers == [CallOffered(Provider.TWILIO, CALL_SID, "+14155550100", "+15550100001")]
    body = response.get_body()
    match line:
        case Line.TWILIO_GATHER:
            assert behind.turns == [("call-1", 0, None, 0, "")]
            assert b"turn?call=call-1&amp;turn=1" in body
        case Line.TWILIO_RELAY:
            assert b"<ConversationRelay" in body
            assert b'value="the-ticket"' in body
        case _:
            assert b"<Stream" in body
            assert b'value="the-ticket"' in body


async def test_a_call_of_ours_is_answered(behind: Behind) -> None:
    assert tags(await post("voice", query="?call=call-9")) == ["Connect"]
    assert behind.answered == [("call-9", CALL_SID)]
    assert behind.offers == []


@pytest.mark.parametrize("error", [NotFound("number_unknown", "nobody"), Conflict("call_ended", "over")])
async def test_a_call_nobody_takes_is_declined(behind: Behind, error: VoiceAgentError) -> None:
    behind.error = error
    assert tags(await post("voice")) == ["Reject"]
    assert tags(await post("voice", query="?call=call-9")) == ["Hangup"], "it has been answered already"


async def test_a_line_of_another_provider_is_declined(behind: Behind) -> None:
    behind.line = Line.VONAGE
    assert tags(await post("voice")) == ["Reject"]


@pytest.mark.parametrize("name", ["voice", "resume", "status"])
async def test_a_store_that_is_down_is_a_503_so_that_twilio_tries_again(behind: Behind, name: str) -> None:
    behind.error = StoreError("redis_unavailable", "x", retryable=True)
    assert_problem(await post(name, CallStatus="in-progress"), 503, "redis_unavailable")


async def test_a_replayed_webhook_is_answered_as_before(behind: Behind) -> None:
    first, second = await post("voice"), await post("voice")
    assert first.get_body() == second.get_body()
    assert behind.offers[0] == behind.offers[1], "the call's id comes from Twilio's, so nothing begins twice"


# going on


@pytest.mark.parametrize(
    ("line", "verbs"),
    [(Line.TWILIO, ["Connect"]), (Line.TWILIO_RELAY, ["Connect"]), (Line.TWILIO_GATHER, ["Gather"])],
)
async def test_a_call_goes_on_after_its_socket(behind: Behind, line: Line, verbs: list[str]) -> None:
    behind.line = line
    response = await post("resume", CallStatus="in-progress")
    assert tags(response) == verbs
    assert behind.moved == [("resume", CALL_SID)]
    assert (b"another-ticket" in response.get_body()) == (line is not Line.TWILIO_GATHER)


async def test_a_caller_who_has_hung_up_is_noted(behind: Behind) -> None:
    assert tags(await post("resume", CallStatus="completed", SessionStatus="ended")) == ["Hangup"]
    ((event, _),) = behind.progress
    assert event.progress is Progress.COMPLETED
    assert behind.moved == []


async def test_a_call_that_we_have_ended(behind: Behind) -> None:
    behind.error = Conflict("call_ended", "over")
    assert tags(await post("resume", CallStatus="in-progress")) == ["Hangup"]


async def test_a_relay_that_ends_with_a_cold_transfer(behind: Behind) -> None:
    handoff = transfer_text(Transfer("+14155550199"))
    assert tags(await post("resume", CallStatus="in-progress", HandoffData=handoff)) == ["Dial"]
    assert [(event.provider_call_id, event.was_answered) for event in behind.transfers] == [(CALL_SID, True)]


async def test_a_relay_that_ends_with_a_warm_transfer_calls_the_person_once(behind: Behind) -> None:
    behind.line = Line.TWILIO_RELAY
    transfer = Transfer("+14155550199", TransferKind.WARM)
    for _ in range(2):
        form = {"CallStatus": "in-progress", "SessionId": "VX1", "HandoffData": transfer_text(transfer)}
        assert tags(await post("resume", **form)) == ["Connect"]
    assert behind.told == [("transfer", CALL_SID, transfer)]


@pytest.mark.parametrize("handoff", ["x", "{}", "[]", '{"to": "nobody"}', "\x00"])
async def test_a_handoff_that_is_none(behind: Behind, handoff: str) -> None:
    assert tags(await post("resume", CallStatus="in-progress", HandoffData=handoff)) == ["Connect"]


# what is told


@pytest.mark.parametrize(("raw", "progress"), [("completed", Progress.COMPLETED), ("ringing", Progress.RINGING)])
async def test_how_far_a_call_has_come(behind: Behind, raw: str, progress: Progress) -> None:
    assert (await post("status", query="?call=call-9", CallStatus=raw)).status_code == 204
    ((event, call_id),) = behind.progress
    assert isinstance(event, CallProgressed)
    assert (event.progress, call_id) == (progress, "call-9")


async def test_a_status_that_we_do_not_know(behind: Behind) -> None:
    assert (await post("status", CallStatus="new")).status_code == 204
    assert behind.progress == []


@pytest.mark.parametrize("query", ["?call=..%2F", "?call=%00"])
async def test_an_address_that_we_have_not_written(behind: Behind, query: str) -> None:
    assert_problem(await post("status", query=query, CallStatus="completed"), 400, "call_malformed")


@pytest.mark.parametrize(
    ("event", "moved"),
    [
        ("stream-started", []),
        ("stream-stopped", [("stopped", CALL_SID, "MZ1")]),
        ("stream-error", [("broke", CALL_SID, "MZ1")]),
        ("", []),
    ],
)
async def test_what_becomes_of_a_stream(behind: Behind, event: str, moved: list[tuple[str, ...]]) -> None:
    form = {"StreamSid": "MZ1", "StreamEvent": event, "StreamError": "x" * 5000}
    assert (await post("stream-status", **form)).status_code == 204
    assert behind.moved == moved


async def test_who_has_answered(behind: Behind) -> None:
    assert (await post("amd", query="?call=call-9", AnsweredBy="machine_end_beep")).status_code == 204
    ((event, call_id),) = behind.progress
    assert isinstance(event, CallAnsweredBy)
    assert (event.by, event.beeped, call_id) == (AnsweredBy.MACHINE, True, "call-9")
    assert (await post("amd")).status_code == 204
    assert len(behind.progress) == 1


async def test_a_recording(behind: Behind) -> None:
    form = {"RecordingSid": "RE1", "RecordingUrl": "https://api.twilio.com/r", "RecordingStatus": "completed"}
    assert (await post("recording", **form)).status_code == 204
    (event,) = behind.recordings
    assert isinstance(event, RecordingReady)
    assert (await post("recording", RecordingStatus="absent")).status_code == 204
    assert len(behind.recordings) == 1
