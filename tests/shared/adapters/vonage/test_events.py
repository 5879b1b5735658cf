"""Vonage's events in the common language, and what is no news of the caller's line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.vonage.events import call_events, caller_words, is_socket, is_vonage, transfer_news
from shared.domain.call import Provider
from shared.domain.telephony.events import (
    AnsweredBy,
    CallAnsweredBy,
    CallProgressed,
    Progress,
    ProviderFault,
    RecordingReady,
)

LEG, OTHER = "63f61863-4a51-4f6b-86e1-46edebcf9356", "0779a56d002f1c7f47f82ef5fe84ab79"
TIME = "2026-11-22T10:01:08.000Z"


def event(status: str, **more: Any) -> dict[str, Any]:
    parties = {"from": "447700900000", "to": "442079460000", "conversation_uuid": "CON-1", "timestamp": TIME}
    return {"status": status, "uuid": LEG, **parties, **more}


@pytest.mark.parametrize(
    ("status", "detail", "progress"),
    [
        ("started", "", Progress.QUEUED),
        ("ringing", "", Progress.RINGING),
        ("answered", "", Progress.IN_PROGRESS),
        ("completed", "", Progress.COMPLETED),
        ("busy", "", Progress.BUSY),
        ("cancelled", "", Progress.CANCELED),
        ("unanswered", "unavailable", Progress.NO_ANSWER),
        ("timeout", "", Progress.NO_ANSWER),
        ("rejected", "declined", Progress.BUSY),
        ("rejected", "invalid_number", Progress.FAILED),
        ("failed", "cannot_route", Progress.FAILED),
    ],
)
def test_every_status_has_its_place(status: str, detail: str, progress: Progress) -> None:
    (news,) = call_events(event(status, detail=detail))
    assert isinstance(news, CallProgressed)
    assert (news.provider, news.provider_call_id, news.progress) == (Provider.VONAGE, LEG, progress)
    assert news.key == status
    assert news.at_ms == pytest.approx(1_795_341_668_000)


def test_the_end_tells_what_it_cost() -> None:
    (news,) = call_events(event("completed", duration="67", price="0.00502500", uuid=OTHER))
    assert isinstance(news, CallProgressed)
    assert (news.duration_s, news.price, news.provider_call_id) == (67.0, "0.00502500", OTHER)


@pytest.mark.parametrize("name", ["uuid", "call_uuid"])
@pytest.mark.parametrize(("sub_state", "beeped"), [("", False), ("beep_start", True), ("beep_timeout", True)])
def test_who_took_the_call_is_told_under_either_name(name: str, sub_state: str, beeped: bool) -> None:
    document = {"status": "machine", name: LEG, "sub_state": sub_state}
    (news,) = call_events(document)
    assert news == CallAnsweredBy(Provider.VONAGE, LEG, f"machine:{sub_state}", AnsweredBy.MACHINE, beeped=beeped)


def test_the_socket_is_not_the_caller() -> None:
    to_socket = {"to": "wss://media.example.com/client/hubs/vonage", "uuid": OTHER, "headers": {"ticket": "t"}}
    for status in ("started", "answered", "disconnected", "completed", "failed"):
        assert call_events(event(status, **to_socket)) == ()
        assert is_socket(event(status, **to_socket))
    assert call_events(event("disconnected")) == ()
    assert not is_socket(event("completed"))


def test_another_leg_is_not_the_caller() -> None:
    assert call_events(event("completed", uuid=OTHER), leg=LEG) == ()
    assert len(call_events(event("completed"), leg=LEG)) == 1


def test_a_recording_is_the_callers_though_it_does_not_name_it() -> None:
    document = {
        "recording_url": "https://api.nexmo.com/v1/files/1",
        "recording_uuid": "r1",
        "start_time": "2026-11-22T10:00:00Z",
        "end_time": "2026-11-22T10:00:12.5Z",
        "conversation_uuid": "CON-1",
        "timestamp": TIME,
    }
    (news,) = call_events(document, leg=LEG)
    assert isinstance(news, RecordingReady)
    assert (news.provider_call_id, news.url, news.duration_s, news.key) == (
        LEG,
        "https://api.nexmo.com/v1/files/1",
        12.5,
        "recording:r1",
    )
    assert call_events(document) == ()


def test_trouble_is_told() -> None:
    (news,) = call_events({"reason": "Syntax error in NCCO. Invalid value type", "conversation_uuid": "CON-1"})
    assert isinstance(news, ProviderFault)


def test_the_likeliest_words_count() -> None:
    speech = {"results": [{"text": "sail", "confidence": "0.41"}, {"text": " sales ", "confidence": "0.94"}]}
    words = caller_words({"uuid": LEG, "speech": speech, "dtmf": {"digits": None, "timed_out": False}}, 3, "en")
    assert (words.text, words.confidence, words.keys, words.turn) == ("sales", 0.94, "", 3)
    pressed = caller_words({"uuid": LEG, "speech": {"results": []}, "dtmf": {"digits": "12#"}}, 1)
    assert (pressed.text, pressed.keys) == ("", "12#")
    silent = caller_words({"uuid": LEG, "speech": {"timeout_reason": "start_timeout", "error": "x"}}, 1)
    assert (silent.text, silent.keys) == ("", "")


def test_the_end_of_a_transfer() -> None:
    assert transfer_news(event("ringing", uuid=OTHER), LEG) is None
    assert transfer_news(event("completed"), LEG) is None
    for status, was_answered in (("answered", True), ("completed", True), ("unanswered", False), ("busy", False)):
        news = transfer_news(event(status, uuid=OTHER), LEG)
        assert news is not None
        assert (news.provider_call_id, news.was_answered) == (LEG, was_answered)


@pytest.mark.parametrize(
    ("url", "is_theirs"),
    [
        ("https://api.nexmo.com", True),
        ("https://api-us-3.vonage.com/v1/files/1", True),
        ("https://vonage.com:443/x", True),
        ("http://api.nexmo.com", False),
        ("https://api.nexmo.com.evil.example", False),
        ("https://evil.example/api.nexmo.com", False),
        ("https://xvonage.com", False),
        ("https://api.nexmo.com@evil.example", False),
        ("https://a@api.nexmo.com", False),
        ("https://api.nexmo.com:8443", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_our_token_goes_to_vonage_only(url: str, is_theirs: bool) -> None:
    assert is_vonage(url) is is_theirs


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("status", "uuid", "call_uuid", "speech", "dtmf", "to", "duration", "timestamp", "reason", "recording_url")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(["completed", "machine", LEG, TIME])))
def test_whatever_comes_never_breaks_us(document: dict[str, Any]) -> None:
    call_events(document, leg=LEG)
    caller_words(document, 1)
    transfer_news(document, LEG)


def test_what_no_store_could_hold_does_not_hold_up_the_end() -> None:
    (news,) = call_events(event("completed", price="0." + "1" * 100))
    assert isinstance(news, CallProgressed)
    assert (news.progress, len(news.price)) == (Progress.COMPLETED, 64)
    assert call_events({"recording_url": "https://api.nexmo.com/" + "x" * 2000, "recording_uuid": "r"}, leg=LEG) == ()
