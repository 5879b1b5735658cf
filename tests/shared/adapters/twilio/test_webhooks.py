"""Who is let in at Twilio's doors: both schemes of signature, keys that rotate, subaccounts, bodies of both kinds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.twilio.events import TwilioWebhook
from shared.adapters.twilio.signature import signature
from shared.adapters.twilio.webhooks import MAX_BODY_BYTES
from shared.domain.errors import InvalidRequest, Unauthenticated, VoiceAgentError
from tests.shared.adapters.twilio import requests as made

PATH = "/api/webhooks/twilio/voice"
SHA256 = "key=key-1,algorithm=HMAC_SHA256"
webhooks = made.make_webhooks()


def verify(
    form: dict[str, str] | None = None,
    *,
    body: bytes | None = None,
    path: str = PATH,
    content_type: str = made.FORM_TYPE,
    secret: str = made.TOKEN,
    settings: str = "",
    headers: dict[str, str] | None = None,
) -> TwilioWebhook:
    form = made.FORM if form is None else form
    if headers is None:
        headers = made.signed_headers(secret, made.BASE + path, form, settings=settings)
    sent = urlencode(form).encode() if body is None else body
    return webhooks.verify(path_and_query=path, content_type=content_type, body=sent, headers=headers)


def refused(code: str, kind: type[VoiceAgentError], deed: Callable[[], object]) -> None:
    with pytest.raises(kind) as error:
        deed()
    assert error.value.code == code
    assert not error.value.retryable


def test_a_form_is_read_with_its_blank_fields() -> None:
    webhook = verify()
    assert (webhook.account_sid, webhook.call_sid) == (made.ACCOUNT, made.CALL_SID)
    assert dict(webhook.form) == made.FORM


def test_the_query_is_signed_and_read() -> None:
    assert verify(path=f"{PATH}?call=a%20b&x=").query == {"call": "a b", "x": ""}


@pytest.mark.parametrize(
    ("secret", "settings"),
    [
        (made.TOKEN, ""),
        (made.BEFORE, ""),
        (made.KEY, SHA256),
        (made.KEY, "algorithm=hmac_sha256 , key=key-1"),
        (made.KEY, "key=key-1,algorithm=HMAC_SHA1"),
        (made.KEY, "key=key-1"),
        (made.TOKEN, "algorithm=HMAC_SHA256"),
    ],
)
def test_both_schemes_and_the_secrets_that_rotate(secret: str, settings: str) -> None:
    assert verify(secret=secret, settings=settings).call_sid == made.CALL_SID


@pytest.mark.parametrize(
    ("secret", "settings"), [(made.SUB_TOKEN, ""), (made.SUB_KEY, "key=key-2,algorithm=HMAC_SHA256")]
)
def test_a_subaccount_signs_with_its_own_secrets(secret: str, settings: str) -> None:
    form = made.FORM | {"AccountSid": made.SUBACCOUNT}
    assert verify(form, secret=secret, settings=settings).account_sid == made.SUBACCOUNT


@pytest.mark.parametrize(
    ("account", "secret", "settings"),
    [
        (made.ACCOUNT, made.SUB_TOKEN, ""),
        (made.SUBACCOUNT, made.TOKEN, ""),
        (made.ACCOUNT, made.SUB_KEY, "key=key-2,algorithm=HMAC_SHA256"),
        (made.SUBACCOUNT, made.KEY, SHA256),
        (made.ACCOUNT, made.TOKEN, SHA256),
        (made.ACCOUNT, made.KEY, ""),
        (made.ACCOUNT, made.KEY, "key=unknown,algorithm=HMAC_SHA256"),
        (made.ACCOUNT, "", "key=unknown"),
        (made.ACCOUNT, "other", ""),
        (made.ACCOUNT, "", ""),
    ],
)
def test_the_secrets_of_one_account_open_no_other(account: str, secret: str, settings: str) -> None:
    form = made.FORM | {"AccountSid": account}
    refused("twilio_signature", Unauthenticated, lambda: verify(form, secret=secret, settings=settings))


@pytest.mark.parametrize("settings", ["key=key-1,algorithm=HMAC_MD5", "algorithm=none", "x" * 501])
def test_a_scheme_that_we_do_not_know(settings: str) -> None:
    refused("twilio_signature", Unauthenticated, lambda: verify(settings=settings))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-twilio-signature": ""},
        {"x-twilio-signature": "AAAA"},
        {"x-twilio-signature": "é"},
        {"x-twilio-signature": "\ud800"},
        {"authorization": "x"},
    ],
)
def test_no_or_a_wrong_signature(headers: dict[str, str]) -> None:
    refused("twilio_signature", Unauthenticated, lambda: verify(headers=headers))


SIGNED = made.signed_headers(made.TOKEN, made.BASE + PATH, made.FORM)


@pytest.mark.parametrize("name", sorted(made.FORM))
def test_no_field_can_be_changed_or_left_out(name: str) -> None:
    code = "twilio_account" if name == "AccountSid" else "twilio_signature"
    changed = made.FORM | {name: made.FORM[name] + "1"}
    refused(code, Unauthenticated, lambda: verify(changed, headers=SIGNED))
    less = {key: value for key, value in made.FORM.items() if key != name}
    refused(code, Unauthenticated, lambda: verify(less, headers=SIGNED))


@pytest.mark.parametrize("path", ["/api/webhooks/twilio/status", f"{PATH}?call=1", f"{PATH}/", PATH.upper(), ""])
def test_no_address_but_the_one_that_was_signed(path: str) -> None:
    refused("twilio_signature", Unauthenticated, lambda: verify(path=path, headers=SIGNED))


def test_a_field_can_not_be_added() -> None:
    refused("twilio_signature", Unauthenticated, lambda: verify(made.FORM | {"Digits": "1"}, headers=SIGNED))


@pytest.mark.parametrize("account", ["AC" + "2" * 32, "", made.ACCOUNT.lower()])
def test_another_account(account: str) -> None:
    refused("twilio_account", Unauthenticated, lambda: verify(made.FORM | {"AccountSid": account}))


@pytest.mark.parametrize("sid", ["", "CA123", "SM" + "a" * 32, "CA" + "A" * 32, "CA" + "a" * 32 + "\n", "{}"])
def test_a_malformed_call_sid(sid: str) -> None:
    refused("call_sid", InvalidRequest, lambda: verify(made.FORM | {"CallSid": sid}))


@pytest.mark.parametrize("content_type", ["", "multipart/form-data; boundary=x", "text/plain"])
def test_neither_form_nor_json(content_type: str) -> None:
    refused("content_type", InvalidRequest, lambda: verify(content_type=content_type))


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded ;a=b"]
)
def test_a_form_by_any_spelling(content_type: str) -> None:
    assert verify(content_type=content_type).call_sid == made.CALL_SID


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"no equals sign", b"a=1&&b=2", b"%ff=1", b"&".join([b"a=1"] * 201)])
def test_a_body_that_is_no_form(body: bytes) -> None:
    refused("form_malformed", InvalidRequest, lambda: verify(body=body))


def test_a_body_that_is_too_large() -> None:
    refused("body_too_large", InvalidRequest, lambda: verify(body=b"a=" + b"1" * MAX_BODY_BYTES))


def test_an_empty_body() -> None:
    refused("twilio_account", Unauthenticated, lambda: verify({}))


# JSON


def verify_json(
    body: bytes, *, named: bytes | None = None, query: str = "", secret: str = made.TOKEN
) -> TwilioWebhook:
    """A body, sent to an address that names the hash of `named`."""
    digest = hashlib.sha256(body if named is None else named).hexdigest()
    path = f"{PATH}?bodySHA256={digest}{query}"
    return webhooks.verify(
        path_and_query=path,
        content_type=made.JSON_TYPE,
        body=body,
        headers=made.signed_headers(secret, made.BASE + path),
    )


def test_a_json_body_is_bound_to_its_signed_address() -> None:
    document = made.FORM | {"RecordingDuration": 7, "nested": {"a": 1}, "half": "\ud800"}
    webhook = verify_json(json.dumps(document).encode())
    assert (webhook.call_sid, webhook.text("RecordingDuration"), webhook.text("nested")) == (made.CALL_SID, "7", "")
    assert webhook.text("half") == "?"


def test_another_body_or_another_address() -> None:
    body = json.dumps(made.FORM).encode()
    refused("twilio_body", Unauthenticated, lambda: verify_json(body + b" ", named=body))
    refused("twilio_body", Unauthenticated, lambda: verify_json(body, query="&bodySHA256=" + "0" * 64))
    refused("twilio_signature", Unauthenticated, lambda: verify_json(body, secret="other"))
    unbound = made.signed_headers(made.TOKEN, made.BASE + PATH)
    refused("twilio_body", Unauthenticated, lambda: verify(body=body, content_type=made.JSON_TYPE, headers=unbound))


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff", b"[" * 60_000])
def test_json_that_is_no_object(body: bytes) -> None:
    refused("json_malformed", InvalidRequest, lambda: verify_json(body))


# sockets


@pytest.mark.parametrize("url", [made.MEDIA, made.RELAY, made.MEDIA.replace(".com/", ".com:443/")])
@pytest.mark.parametrize("secret", [made.TOKEN, made.BEFORE, made.SUB_TOKEN])
def test_a_socket_is_signed_over_its_own_address(url: str, secret: str) -> None:
    webhooks.verify_socket(made.signed_headers(secret, url))


def test_a_socket_signed_with_a_shared_key() -> None:
    webhooks.verify_socket(made.signed_headers(made.KEY, made.RELAY, settings=SHA256))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-twilio-signature": ""},
        {"x-twilio-signature": signature(made.TOKEN, made.MEDIA + "/")},
        {"x-twilio-signature": signature(made.TOKEN, made.MEDIA.replace("wss", "https"))},
        {"x-twilio-signature": signature("other", made.MEDIA)},
        {"x-twilio-signature": signature("", made.MEDIA)},
        made.signed_headers(made.SUB_KEY, made.MEDIA, settings=SHA256),
    ],
)
def test_any_other_socket_is_refused(headers: dict[str, str]) -> None:
    refused("twilio_signature", Unauthenticated, lambda: webhooks.verify_socket(headers))


@given(
    path=st.text(max_size=80),
    kind=st.sampled_from([made.FORM_TYPE, made.JSON_TYPE, "", "x"]) | st.text(max_size=40),
    body=st.binary(max_size=300),
    headers=st.dictionaries(
        st.sampled_from(["X-Twilio-Signature", "X-Twilio-Webhooks-Signature-Settings", "other"]), st.text(max_size=60)
    ),
)
def test_whatever_comes_in_is_refused_politely(path: str, kind: str, body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(VoiceAgentError):
        webhooks.verify(path_and_query=path, content_type=kind, body=body, headers=headers)
    with pytest.raises(VoiceAgentError):
        webhooks.verify_socket(headers)
