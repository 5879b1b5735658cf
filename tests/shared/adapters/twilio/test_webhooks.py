"""Forms from Twilio: the good ones are read, all others refused with a code; TwiML goes back."""

from __future__ import annotations

from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from shared.adapters.twilio.signature import signature
from shared.adapters.twilio.webhooks import MAX_BODY_BYTES, TwilioWebhook, TwilioWebhooks
from shared.domain.errors import InvalidRequest, Unauthenticated, VoiceAgentError

ACCOUNT, TOKEN = "AC" + "0" * 32, "secret"
BASE, PATH = "https://voice.example.com", "/api/webhooks/twilio/voice"
SOCKET = "wss://media.example.com/client/hubs/carriers"
FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"
FORM = {
    "AccountSid": ACCOUNT,
    "CallSid": "CA" + "a" * 32,
    "CallStatus": "ringing",
    "From": "+14155550100",
    "To": "+15550100001",
    "FromCity": "",
    "CallerName": "",
}

webhooks = TwilioWebhooks(
    account_sid=ACCOUNT, auth_tokens=(TOKEN, "before"), public_base_url=f"{BASE}/", media_socket_url=SOCKET
)


def verify(
    form: dict[str, str] | None = None,
    *,
    body: bytes | None = None,
    path: str = PATH,
    content_type: str = FORM_TYPE,
    secret: str = TOKEN,
    given: str | None = "sign",
) -> TwilioWebhook:
    form = FORM if form is None else form
    if given == "sign":
        given = signature(secret, BASE + path, form.items())
    return webhooks.verify(
        path_and_query=path,
        content_type=content_type,
        body=urlencode(form).encode() if body is None else body,
        given=given,
    )


def test_a_call_is_read_with_its_blank_fields() -> None:
    webhook = verify()
    assert (webhook.call_sid, webhook.caller, webhook.callee) == (FORM["CallSid"], "+14155550100", "+15550100001")
    assert not webhook.has_ended


def test_the_token_before_counts_while_it_rotates() -> None:
    assert verify(secret="before").call_sid == FORM["CallSid"]


def test_the_query_is_signed_too() -> None:
    assert verify(path=f"{PATH}?tenant=t%201&x=").call_sid == FORM["CallSid"]


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_statuses_that_end_a_call(status: str) -> None:
    assert verify(FORM | {"CallStatus": status}).has_ended


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress", "", "COMPLETED"])
def test_statuses_that_do_not(status: str) -> None:
    assert not verify(FORM | {"CallStatus": status}).has_ended


def test_a_stream_status_is_read() -> None:
    webhook = verify(FORM | {"StreamEvent": "stream-error", "StreamError": "31921 closed"})
    assert (webhook.stream_event, webhook.stream_error) == ("stream-error", "31921 closed")


def test_a_withheld_number_is_no_error() -> None:
    assert verify({name: value for name, value in FORM.items() if name != "From"}).caller == ""


@pytest.mark.parametrize("given", [None, "", "AAAA", "é"])
def test_no_or_a_wrong_signature(given: str | None) -> None:
    _refused("twilio_signature", Unauthenticated, lambda: verify(given=given))


def test_a_signature_by_somebody_else() -> None:
    _refused("twilio_signature", Unauthenticated, lambda: verify(secret="other"))


def test_a_signature_of_another_path() -> None:
    stolen = signature(TOKEN, f"{BASE}/api/webhooks/twilio/status", FORM.items())
    _refused("twilio_signature", Unauthenticated, lambda: verify(given=stolen))


def test_dropped_blank_fields_break_the_signature() -> None:
    signed = signature(TOKEN, BASE + PATH, FORM.items())
    less = {name: value for name, value in FORM.items() if value}
    _refused("twilio_signature", Unauthenticated, lambda: verify(less, given=signed))


@pytest.mark.parametrize("account", ["AC" + "1" * 32, "", ACCOUNT.lower()])
def test_another_account(account: str) -> None:
    _refused("twilio_account", Unauthenticated, lambda: verify(FORM | {"AccountSid": account}))


@pytest.mark.parametrize("sid", ["", "CA123", "SM" + "a" * 32, "CA" + "A" * 32, "CA" + "a" * 32 + "\n", "{}"])
def test_a_malformed_call_sid(sid: str) -> None:
    _refused("call_sid", InvalidRequest, lambda: verify(FORM | {"CallSid": sid}))


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_not_a_form(content_type: str) -> None:
    _refused("content_type", InvalidRequest, lambda: verify(content_type=content_type))


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded ;a=b"]
)
def test_a_form_by_any_spelling(content_type: str) -> None:
    assert verify(content_type=content_type).call_sid == FORM["CallSid"]


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"no equals sign", b"a=1&&b=2", b"&".join([b"a=1"] * 201)])
def test_a_body_that_is_no_form(body: bytes) -> None:
    _refused("form_malformed", InvalidRequest, lambda: verify(body=body))


def test_a_body_that_is_too_large() -> None:
    _refused("body_too_large", InvalidRequest, lambda: verify(body=b"a=" + b"1" * MAX_BODY_BYTES))


def test_an_empty_body() -> None:
    _refused("twilio_account", Unauthenticated, lambda: verify({}))


def test_the_socket_is_signed_over_its_own_address() -> None:
    webhooks.verify_socket(signature(TOKEN, SOCKET))
    webhooks.verify_socket(signature("before", SOCKET.replace(".com/", ".com:443/")))
    for wrong in (None, "", signature(TOKEN, SOCKET + "/"), signature(TOKEN, SOCKET.replace("wss", "https"))):
        _refused("twilio_signature", Unauthenticated, lambda given=wrong: webhooks.verify_socket(given))


def test_the_answer_streams_to_our_socket() -> None:
    response = ET.fromstring(webhooks.connect_stream('a"<&ticket'))
    stream = response.find("Connect/Stream")
    assert stream is not None
    assert stream.attrib == {"url": SOCKET, "statusCallback": f"{BASE}/api/webhooks/twilio/stream-status"}
    assert [parameter.attrib for parameter in stream] == [{"name": "ticket", "value": 'a"<&ticket'}]
    assert [element.tag for element in response] == ["Connect", "Hangup"]


@pytest.mark.parametrize("reason", ["rejected", "busy"])
def test_a_call_is_declined(reason: str) -> None:
    assert webhooks.reject(reason).endswith(f'<Response><Reject reason="{reason}" /></Response>')


def _refused(code: str, kind: type[VoiceAgentError], deed: object) -> None:
    with pytest.raises(kind) as refused:
        deed()  # type: ignore[operator]
    assert refused.value.code == code
    assert not refused.value.retryable


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
    assert verify({**FORM, "From": shown}).caller == kept
