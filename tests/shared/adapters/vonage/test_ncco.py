"""What Vonage is told to do next: the rules of its documents hold for whatever is said."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.vonage.ncco import MediaSocket, NccoWriter, keys_of, language_tag
from shared.adapters.vonage.own_links import OwnLinks
from shared.domain.telephony.commands import SendKeys, Transfer, TransferKind
from shared.domain.telephony.text_turns import Next, TextReply

LINKS = OwnLinks("https://voice.example.com/", "secret")
WRITER = NccoWriter(LINKS)
CALL, LEG, OURS = "call-1", "63f61863-4a51-4f6b-86e1-46edebcf9356", "+442079460000"


def reply(next_step: Next, *sentences: str, **changes: Any) -> list[dict[str, Any]]:
    values = {"turn": 2, "told": len(sentences), "language": "en", "voice": "default", **changes}
    whole = TextReply(sentences=sentences, next=next_step, **values)
    return WRITER.reply(whole, call_id=CALL, leg=LEG, own_number=OURS)


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_the_socket_comes_last_and_bears_what_lets_it_in() -> None:
    socket = MediaSocket("wss://media.example.com/client/hubs/vonage", "token", "ticket-1")
    (connect,) = WRITER.connect_socket(socket, leg=LEG, own_number=OURS)
    assert (connect["action"], connect["from"], connect["eventMethod"]) == ("connect", "442079460000", "POST")
    assert query(connect["eventUrl"][0]) == {"leg": LEG}
    assert connect["endpoint"] == [
        {
            "type": "websocket",
            "uri": "wss://media.example.com/client/hubs/vonage",
            "content-type": "audio/l16;rate=16000",
            "headers": {"ticket": "ticket-1", "leg": LEG},
            "authorization": {"type": "custom", "value": "Bearer token"},
        }
    ]


def test_an_answer_may_be_interrupted_and_is_listened_after() -> None:
    talk, listen = reply(Next.LISTEN, "Good morning.", "How are you?")
    assert talk == {
        "action": "talk",
        "bargeIn": True,
        "language": "en-US",
        "text": "Good morning. How are you?",
    }
    assert listen["type"] == ["speech", "dtmf"]
    assert listen["speech"]["language"] == "en-US"
    assert query(listen["eventUrl"][0]) == {"call": CALL, "leg": LEG, "turn": "3", "after": "0"}
    assert 0.4 <= listen["speech"]["endOnSilence"] <= 10
    assert 1 <= listen["speech"]["startTimeout"] <= 60
    assert listen["dtmf"]["maxDigits"] <= 20
    assert 0 <= listen["dtmf"]["timeOut"] <= 10


def test_half_an_answer_may_be_spoken_into_and_silence_leads_to_the_rest() -> None:
    talk, listen, wait, again = reply(Next.COME_AGAIN, "One moment.", told=4)
    assert (talk["bargeIn"], listen["action"], wait["action"]) == (True, "input", "wait")
    assert listen["speech"]["startTimeout"] == 1
    expected = {"call": CALL, "leg": LEG, "turn": "3", "after": "4", "rest": "1"}
    assert query(listen["eventUrl"][0]) == expected
    assert query(again["eventUrl"][0]) == {"call": CALL, "leg": LEG, "turn": "2", "after": "4"}
    assert [step["action"] for step in reply(Next.COME_AGAIN)] == ["input", "wait", "notify"]


def test_half_an_answer_is_said_and_the_rest_is_asked_for_twice_before_the_call_ends() -> None:
    talk, again, wait, last = reply(Next.COME_AGAIN, "One moment.", told=4, is_interruptible=False)
    assert talk["bargeIn"] is False
    assert again == last
    assert (again["action"], wait["action"]) == ("notify", "wait")
    assert query(again["eventUrl"][0]) == {"call": CALL, "leg": LEG, "turn": "2", "after": "4"}
    steps = reply(Next.COME_AGAIN, is_interruptible=False)
    assert [step["action"] for step in steps] == ["notify", "wait", "notify"]


def test_good_bye_is_the_end() -> None:
    assert [step["action"] for step in reply(Next.HANG_UP, "Good bye.")] == ["talk"]
    assert reply(Next.HANG_UP) == []


def test_a_caller_is_put_through() -> None:
    transfer = Transfer("+447700900001", keys="1wW2", ring_s=20)
    talk, connect = reply(Next.TRANSFER, "One moment.", transfer=transfer)
    assert talk["text"] == "One moment."
    assert connect["endpoint"] == [{"type": "phone", "number": "447700900001", "dtmfAnswer": "1ppp2"}]
    assert (connect["from"], connect["timeout"], connect["eventType"]) == ("442079460000", 20, "synchronous")
    assert query(connect["eventUrl"][0]) == {"leg": LEG}
    assert "limit" not in connect


@pytest.mark.parametrize(("longest_s", "limit"), [(600, 600), (14_400, 7200)])
def test_a_person_is_called_for_as_long_as_is_paid_for(longest_s: int, limit: int) -> None:
    (connect,) = WRITER.transfer(Transfer("+447700900001", longest_s=longest_s), leg=LEG, own_number=OURS)
    assert connect["limit"] == limit


def test_a_whisper_is_asked_for_at_its_address() -> None:
    transfer = Transfer("+447700900001", TransferKind.WARM, whisper="Asha, about an invoice & more")
    (connect,) = WRITER.transfer(transfer, leg=LEG, own_number=OURS, whisper_url="https://voice.example.com/w")
    assert connect["endpoint"][0]["onAnswer"] == {"url": "https://voice.example.com/w"}
    assert "Asha" not in str(connect)
    said = [{"action": "talk", "language": "de-DE", "text": "Asha, about an invoice and more"}]
    assert WRITER.whisper(transfer.whisper, "de") == said


def test_keys_and_languages_as_vonage_writes_them() -> None:
    assert keys_of(SendKeys("1w2W#*A")) == "1p2pp#*"
    assert [language_tag(each) for each in ("en", "hi", "en-GB", "xx", "")] == ["en-US", "hi-IN", "en-GB", "", ""]


def test_a_recording_runs_beside_what_follows() -> None:
    record = WRITER.record(LEG)
    assert not {"endOnSilence", "endOnKey", "timeOut"} & record.keys()
    assert record["eventUrl"] == [LINKS.event(LEG)]


@given(st.lists(st.text(max_size=2500), max_size=4), st.sampled_from(list(Next)))
def test_whatever_is_said_is_within_what_one_action_may_say(sentences: list[str], next_step: Next) -> None:
    for step in reply(next_step, *sentences):
        if step["action"] == "talk":
            assert 0 < len(step["text"]) <= 1500
            assert not set("<>&\n") & set(step["text"])
        for url in step.get("eventUrl", []):
            assert url.startswith("https://voice.example.com/api/webhooks/vonage/")
