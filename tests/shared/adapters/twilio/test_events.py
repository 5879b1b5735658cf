"""Twilio's forms as the common events, each with a key that tells a repetition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.twilio.addresses import JOIN, TOLD
from shared.adapters.twilio.events import PROGRESS, TwilioWebhook
from shared.domain.errors import InvalidRequest, VoiceAgentError
from shared.domain.telephony.events import AnsweredBy, Progress
from shared.domain.telephony.lines import Provider
from tests.shared.adapters.twilio import requests as made

ADDRESSES = made.ADDRESSES
STATUS = ADDRESSES.status("call-1")


def test_a_call_that_comes_in() -> None:
    event = made.verified(
        f"{made.BASE}/api/webhooks/twilio/voice", Direction="inbound", ForwardedFrom="+1555"
    ).incoming()
    assert (event.provider, event.provider_call_id) == (Provider.TWILIO, made.CALL_SID)
    assert (event.caller, event.callee) == ("+14155550100", "+15550100001")
    assert event.attributes == {"Direction": "inbound", "ForwardedFrom": "+1555"}


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        ("+14155550100", "+14155550100"),
        ("anonymous", "anonymous"),
        ("+0", "0"),
        ("+1234567890123456", "1234567890123456"),
        ("sip:" + "x" * 400, "sip:" + "x" * 252),
        ("", ""),
    ],
)
def test_a_caller_may_show_what_is_no_number(shown: str, kept: str) -> None:
    assert made.verified(STATUS, From=shown).incoming().caller == kept


@pytest.mark.parametrize(("raw", "progress"), list(PROGRESS.items()))
def test_each_status(raw: str, progress: Progress) -> None:
    form = {"CallStatus": raw, "SequenceNumber": "2", "CallDuration": "67"}
    event = made.verified(STATUS, **form, Timestamp="Sun, 22 Nov 2026 10:00:00 +0000").progressed()
    assert event is not None
    assert (event.progress, event.raw, event.duration_s) == (progress, raw, 67.0)
    assert event.at_ms == 1_795_341_600_000.0
    assert event.key == f"status:{raw}:2"


@pytest.mark.parametrize("raw", ["", "COMPLETED", "new-one"])
def test_a_status_that_we_do_not_know_is_passed_over(raw: str) -> None:
    assert made.verified(STATUS, CallStatus=raw).progressed() is None


@pytest.mark.parametrize(
    ("given_", "expected"), [("", None), ("-1", None), ("1.5", None), ("9" * 30, None), ("٣", None), ("0", 0.0)]
)
def test_a_duration_that_is_none(given_: str, expected: float | None) -> None:
    event = made.verified(STATUS, CallStatus="completed", CallDuration=given_).progressed()
    assert event is not None
    assert event.duration_s == expected


@pytest.mark.parametrize(
    ("raw", "by", "beeped"),
    [
        ("human", AnsweredBy.HUMAN, False),
        ("machine_start", AnsweredBy.MACHINE, False),
        ("machine_end_beep", AnsweredBy.MACHINE, True),
        ("machine_end_silence", AnsweredBy.MACHINE, True),
        ("machine_end_other", AnsweredBy.MACHINE, True),
        ("fax", AnsweredBy.FAX, False),
        ("unknown", AnsweredBy.UNKNOWN, False),
        ("something new", AnsweredBy.UNKNOWN, False),
    ],
)
def test_who_has_answered(raw: str, by: AnsweredBy, beeped: bool) -> None:
    event = made.verified(ADDRESSES.machine("call-1"), AnsweredBy=raw).answered_by()
    assert event is not None
    assert (event.by, event.beeped) == (by, beeped)


def test_nobody_says_who_has_answered() -> None:
    assert made.verified(ADDRESSES.machine("call-1")).answered_by() is None


def test_the_words_of_a_turn() -> None:
    form = {"SpeechResult": " Move my appointment. ", "Confidence": "0.93", "Language": "en-US", "Digits": "1x2"}
    webhook = made.verified(ADDRESSES.turn("call-1", 3), **form)
    event = webhook.spoken()
    assert (event.turn, event.text, event.confidence, event.language) == (3, "Move my appointment.", 0.93, "en-US")
    assert (event.keys, event.key, webhook.call_id) == ("12", "turn:3:0", "call-1")
    assert not webhook.comes_again


def test_the_rest_of_an_answer_is_asked_for() -> None:
    webhook = made.verified(ADDRESSES.rest_of_turn("call-1", 3, 2))
    assert (webhook.turn, webhook.after, webhook.comes_again) == (3, 2, True)
    assert webhook.spoken().key != made.verified(ADDRESSES.turn("call-1", 3)).spoken().key


@pytest.mark.parametrize("confidence", ["", "x", "-1", "2", "nan", "inf", "1e999", "0" * 30])
def test_a_confidence_that_is_none(confidence: str) -> None:
    assert made.verified(ADDRESSES.turn("call-1", 1), Confidence=confidence).spoken().confidence is None


@pytest.mark.parametrize(
    "query", ["turn=-1", "turn=1.5", "turn=1e3", "turn=", "turn=²", "turn=1000000000", "after=x"]
)
def test_a_turn_that_is_no_number(query: str) -> None:
    with pytest.raises(InvalidRequest):
        made.verified(f"{made.BASE}/api/webhooks/twilio/turn?call=call-1&{query}").spoken()


@pytest.mark.parametrize("call", ["../x", "a b", "é", "a" * 65])
def test_a_call_that_is_none_of_ours(call: str) -> None:
    webhook = TwilioWebhook(made.ACCOUNT, made.CALL_SID, made.FORM, {"call": call})
    with pytest.raises(InvalidRequest):
        _ = webhook.call_id


def test_a_recording_that_is_ready() -> None:
    form = {"RecordingSid": "RE1", "RecordingUrl": "https://api.twilio.com/r", "RecordingDuration": "9"}
    event = made.verified(ADDRESSES.recording(), **form, RecordingStatus="completed").recorded()
    assert event is not None
    assert (event.url, event.duration_s, event.key) == ("https://api.twilio.com/r", 9.0, "recording:RE1")


@pytest.mark.parametrize("form", [{"RecordingStatus": "absent"}, {"RecordingStatus": "completed"}, {}])
def test_a_recording_that_is_none(form: dict[str, str]) -> None:
    assert made.verified(ADDRESSES.recording(), **form).recorded() is None


@pytest.mark.parametrize(
    ("status", "answered"),
    [("completed", True), ("answered", True), ("no-answer", False), ("busy", False), ("failed", False), ("", False)],
)
def test_what_became_of_the_other_end(status: str, answered: bool) -> None:
    assert made.verified(ADDRESSES.transferred(), DialCallStatus=status).transfer_ended().was_answered is answered


def test_the_person_on_another_line() -> None:
    caller = "CA" + "b" * 32
    for deed, answered in ((JOIN, True), (TOLD, False)):
        event = made.verified(ADDRESSES.person(caller, deed)).put_through(was_answered=answered)
        assert (event.provider_call_id, event.was_answered) == (caller, answered)
    with pytest.raises(InvalidRequest):
        made.verified(ADDRESSES.person("CA1", JOIN)).put_through(was_answered=True)


def test_faults() -> None:
    broken = made.verified(ADDRESSES.stream_status(), StreamEvent="stream-error", StreamError="31921 closed").fault()
    assert broken is not None
    assert (broken.code, broken.detail) == ("stream-error", "31921 closed")
    coded = made.verified(ADDRESSES.resume(), ErrorCode="64105", ErrorMessage="x" * 500).fault()
    assert coded is not None
    assert (coded.code, len(coded.detail)) == ("64105", 200)
    assert made.verified(ADDRESSES.resume()).fault() is None


NAMES = (
    "CallStatus AnsweredBy SpeechResult Digits Confidence CallDuration Timestamp StreamEvent RecordingUrl "
    "RecordingStatus RecordingDuration DialCallStatus ErrorCode HandoffData From"
)
FIELDS = st.dictionaries(st.sampled_from(NAMES.split()), st.text(max_size=80))
QUERY = st.dictionaries(
    st.sampled_from(["call", "turn", "after", "again", "caller", "language"]), st.text(max_size=40)
)


@given(form=FIELDS, query=QUERY)
def test_no_form_is_too_strange(form: dict[str, str], query: dict[str, str]) -> None:
    webhook = TwilioWebhook(made.ACCOUNT, made.CALL_SID, form, query)
    readings = (
        webhook.incoming,
        webhook.progressed,
        webhook.answered_by,
        webhook.spoken,
        webhook.recorded,
        webhook.transfer_ended,
        webhook.fault,
        webhook.left,
        lambda: webhook.put_through(was_answered=True),
        lambda: (webhook.call_id, webhook.language, webhook.handoff, webhook.comes_again),
    )
    for reading in readings:
        try:
            reading()
        except VoiceAgentError:
            continue
