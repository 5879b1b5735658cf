from __future__ import annotations

import pytest

from local_stack.phones.twilio import twiml, verbs
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode

BASE = "https://voice.example.com/hooks/voice?tenant=1"


def document(body: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<Response>{body}</Response>".encode()


def test_reads_a_bidirectional_stream_with_all_it_may_have() -> None:
    body = """
      <Connect action="/after" method="get">
        <Stream name="agent" statusCallback="https://other.example/s?x=1" url="wss://media.example.com/a/b?token=1#f">
          <Parameter name="ticket" value="a&amp;b &lt;1&gt;"/><Parameter name="empty" value=""/>
        </Stream>
      </Connect><Hangup/>"""
    assert twiml.parse(document(body), BASE) == [
        verbs.Stream(
            url="wss://media.example.com/a/b",
            name="agent",
            parameters={"ticket": "a&b <1>", "empty": ""},
            status_callback="https://other.example/s?x=1",
            action="https://voice.example.com/after",
            action_method="GET",
        ),
        verbs.Hangup(),
    ]


def test_reads_the_other_verbs() -> None:
    body = '<Say voice="x"> Hello <!-- c --> you </Say><Pause/><Pause length="3"/><Redirect>next?a=1</Redirect>'
    assert twiml.parse(document(body), BASE) == [
        verbs.Say("Hello you"),
        verbs.Pause(1),
        verbs.Pause(3),
        verbs.Redirect("https://voice.example.com/hooks/next?a=1"),
    ]
    assert twiml.parse(document('<Reject reason="busy"/>'), BASE) == [verbs.Reject("busy")]
    assert twiml.parse(document(""), BASE) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", ErrorCode.DOCUMENT_PARSE_FAILURE),
        ("not xml", ErrorCode.DOCUMENT_PARSE_FAILURE),
        ("<Response>", ErrorCode.DOCUMENT_PARSE_FAILURE),
        ("<Answer/>", ErrorCode.DOCUMENT_PARSE_FAILURE),
        ("<!DOCTYPE r [<!ENTITY a 'aaaa'>]><Response>&a;</Response>", ErrorCode.DOCUMENT_PARSE_FAILURE),
        ("<!DOCTYPE r SYSTEM 'file:///etc/passwd'><Response/>", ErrorCode.DOCUMENT_PARSE_FAILURE),
        ("<Response>" + " " * 70_000 + "</Response>", ErrorCode.HTTP_BODY_TOO_LARGE),
        ("<Response><Sms/></Response>", ErrorCode.SCHEMA_VALIDATION),
        ("<Response><Connect/></Response>", ErrorCode.SCHEMA_VALIDATION),
        ("<Response><Connect><Room/></Connect></Response>", ErrorCode.SCHEMA_VALIDATION),
        ("<Response><Connect><Stream/></Connect></Response>", ErrorCode.SCHEMA_VALIDATION),
        ("<Response><Redirect>ftp://a/b</Redirect></Response>", ErrorCode.SCHEMA_VALIDATION),
        ("<Response><Pause length='soon'/></Response>", ErrorCode.SCHEMA_VALIDATION),
        (
            "<Response><Connect><Stream url='ws://media.example.com/a'/></Connect></Response>",
            ErrorCode.STREAM_URL_SCHEME,
        ),
        (
            "<Response><Connect><Stream url='https://media.example.com/a'/></Connect></Response>",
            ErrorCode.STREAM_URL_SCHEME,
        ),
    ],
)
def test_refuses_what_the_carrier_refuses(body: str, code: ErrorCode) -> None:
    with pytest.raises(CarrierFault) as caught:
        twiml.parse(body.encode(), BASE)
    assert caught.value.code is code


def test_a_parameter_has_at_most_500_characters() -> None:
    stream = "<Connect><Stream url='wss://a.example/b'><Parameter name='n' value='{}'/></Stream></Connect>"
    assert twiml.parse(document(stream.format("v" * 499)), BASE)
    with pytest.raises(CarrierFault, match="500"):
        twiml.parse(document(stream.format("v" * 500)), BASE)


def test_plain_websockets_are_for_this_machine_only() -> None:
    stream = "<Connect><Stream url='ws://localhost:7080/client/hubs/carriers'/></Connect>"
    (verb,) = twiml.parse(document(stream), BASE)
    assert isinstance(verb, twiml.Stream)
    assert verb.url == "ws://localhost:7080/client/hubs/carriers"
