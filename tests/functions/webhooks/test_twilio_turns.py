"""Twilio's turns by request, and the person to whom a caller is put through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.webhooks import twilio_requests
from shared.domain.errors import Conflict, NotFound, StoreError, TelephonyError, VoiceAgentError
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.text_turns import Next
from tests.functions.conftest import Installer, assert_problem
from tests.functions.webhooks.twilio_doors import MODULES, REPLY, Behind, post, tags
from tests.shared.adapters.twilio.requests import ACCOUNT, CALL_SID

CALLER = "CA" + "b" * 32


@pytest.fixture
def behind(install: Installer) -> Behind:
    behind = Behind()
    install(*MODULES, twilio_requests, **behind.services())
    return behind


async def test_the_words_of_a_turn_are_answered(behind: Behind) -> None:
    behind.reply = replace(REPLY, turn=3, sentences=("Which day?",))
    response = await post("turn", query="?call=call-1&turn=3", SpeechResult="Move it.", Language="en-US")
    assert tags(response) == ["Gather"]
    assert behind.turns == [("call-1", 3, "Move it.", 0, "en-US")]
    assert b"turn?call=call-1&amp;turn=4" in response.get_body()


async def test_keys_are_words_too(behind: Behind) -> None:
    await post("turn", query="?call=call-1&turn=1", Digits="42")
    assert "42" in behind.turns[0][2].replace(" ", "")


async def test_nothing_said(behind: Behind) -> None:
    await post("turn", query="?call=call-1&turn=1")
    assert behind.turns == [("call-1", 1, "", 0, "")]


async def test_the_rest_of_an_answer_brings_no_words(behind: Behind) -> None:
    behind.reply = replace(REPLY, turn=2, told=3, next=Next.COME_AGAIN)
    response = await post("turn", query="?call=call-1&turn=2&again=1&after=1", SpeechResult="Old words.")
    assert tags(response) == ["Gather", "Redirect"]
    assert behind.turns == [("call-1", 2, None, 1, "")]
    assert b"turn=2&amp;again=1&amp;after=3" in response.get_body()


@pytest.mark.parametrize("query", ["?call=another&turn=1", "?turn=1", "?call=&turn=1", ""])
async def test_a_turn_of_another_call(behind: Behind, query: str) -> None:
    assert tags(await post("turn", query=query, SpeechResult="Hi.")) == ["Hangup"]
    assert behind.turns == []


@pytest.mark.parametrize("query", ["?call=call-1&turn=x", "?call=call-1&turn=1&after=-1", "?call=a%20b&turn=1"])
async def test_an_address_that_we_have_not_written(behind: Behind, query: str) -> None:
    assert (await post("turn", query=query)).status_code == 400


@pytest.mark.parametrize("error", [NotFound("call_unknown", "gone"), Conflict("turn_unknown", "no")])
async def test_a_call_that_is_over(behind: Behind, error: VoiceAgentError) -> None:
    behind.error = error
    assert tags(await post("turn", query="?call=call-1&turn=1", SpeechResult="Hi.")) == ["Hangup"]


async def test_a_store_that_is_down(behind: Behind) -> None:
    behind.error = StoreError("redis_unavailable", "x", retryable=True)
    assert_problem(await post("turn", query="?call=call-1&turn=1", SpeechResult="Hi."), 503, "redis_unavailable")


async def test_a_cold_transfer_with_the_reply(behind: Behind) -> None:
    behind.reply = replace(REPLY, next=Next.TRANSFER, transfer=Transfer("+14155550199"))
    assert tags(await post("turn", query="?call=call-1&turn=1", SpeechResult="A person.")) == ["Say", "Dial"]
    assert behind.told == []


async def test_a_warm_transfer_with_the_reply_calls_the_person_once(behind: Behind) -> None:
    transfer = Transfer("+14155550199", TransferKind.WARM)
    behind.reply = replace(REPLY, turn=1, next=Next.TRANSFER, transfer=transfer)
    for _ in range(2):
        assert tags(await post("turn", query="?call=call-1&turn=1", SpeechResult="A person.")) == ["Gather"]
    assert behind.told == [("transfer", CALL_SID, transfer)]


async def test_a_person_who_cannot_be_called_leaves_the_caller_with_the_agent(behind: Behind) -> None:
    behind.reply = replace(REPLY, turn=1, next=Next.TRANSFER, transfer=Transfer("+14155550199", TransferKind.WARM))

    async def refuse(call: str, transfer: Transfer) -> None:
        raise TelephonyError("twilio_refused", "no")

    behind.transfer = refuse  # type: ignore[method-assign]
    assert tags(await post("turn", query="?call=call-1&turn=1", SpeechResult="A person.")) == ["Gather"]
    assert [(event.provider_call_id, event.was_answered) for event in behind.transfers] == [(CALL_SID, False)]


# the person


@pytest.mark.parametrize(("status", "verbs"), [("completed", ["Hangup"]), ("no-answer", ["Say", "Hangup"])])
async def test_the_other_end_of_a_cold_transfer(behind: Behind, status: str, verbs: list[str]) -> None:
    assert tags(await post("transfer", query="?language=de", DialCallStatus=status)) == verbs


async def test_the_person_joins_the_caller(behind: Behind) -> None:
    response = await post("person/join", query=f"?caller={CALLER}")
    assert tags(response) == ["Dial"]
    assert f">transfer-{CALLER}<".encode() in response.get_body()
    assert behind.told == [("put through", CALLER, ACCOUNT)]
    assert [(event.provider_call_id, event.was_answered) for event in behind.transfers] == [(CALLER, True)]


async def test_the_caller_has_gone_meanwhile(behind: Behind) -> None:
    behind.error = Conflict("call_ended", "over")
    assert tags(await post("person/join", query=f"?caller={CALLER}")) == ["Hangup"]
    assert behind.transfers == []


@pytest.mark.parametrize("query", ["", "?caller=CA1", "?caller=%00"])
async def test_a_person_without_a_caller(behind: Behind, query: str) -> None:
    assert_problem(await post("person/join", query=query), 400, "caller_malformed")


@pytest.mark.parametrize(("status", "is_end"), [("no-answer", True), ("completed", True), ("ringing", False)])
async def test_the_persons_line_has_ended(behind: Behind, status: str, is_end: bool) -> None:
    assert (await post("person/told", query=f"?caller={CALLER}", CallStatus=status)).status_code == 204
    expected = [(CALLER, False)] if is_end else []
    assert [(event.provider_call_id, event.was_answered) for event in behind.transfers] == expected


@pytest.mark.parametrize(("by", "told"), [("machine_start", [("hang up", CALL_SID)]), ("human", []), ("", [])])
async def test_a_caller_is_not_put_through_to_a_machine(behind: Behind, by: str, told: list[object]) -> None:
    assert (await post("person/machine", query=f"?caller={CALLER}", AnsweredBy=by)).status_code == 204
    assert behind.told == told
