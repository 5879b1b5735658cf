"""Who has the secret can tell that a request is ours, and of whom."""

from __future__ import annotations

import base64
import hashlib
import hmac

import jwt
import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.tools.requests import Prepared
from shared.domain.tools.signing import Context, secret_bytes, secrets_by_tenant, signature_headers

CONTEXT = Context("acme", "call-1", "+15550100001", "cancel", "call-1:4:0")
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
SENT = Prepared("POST", "https://a.example/orders", body=b'{"a": 1}')


def test_the_signature_is_that_of_standard_webhooks() -> None:
    headers = signature_headers(secret_bytes(SECRET), CONTEXT, SENT, 1_700_000_000)
    signed = b"call-1:4:0.1700000000." + SENT.body
    expected = base64.b64encode(
        hmac.new(b"0123456789abcdef0123456789abcdef", signed, hashlib.sha256).digest()
    ).decode()
    assert headers["webhook-id"] == "call-1:4:0"
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_who_calls_stands_in_a_token_that_a_library_reads() -> None:
    headers = signature_headers(secret_bytes(SECRET), CONTEXT, SENT, 1_700_000_000)
    claims = jwt.decode(
        headers["voice-agent-context"], secret_bytes(SECRET), algorithms=["HS256"], options={"verify_exp": False}
    )
    assert claims["caller"] == "+15550100001"
    assert (claims["tenant_id"], claims["call_id"], claims["tool"]) == ("acme", "call-1", "cancel")
    assert (claims["method"], claims["url"]) == ("POST", SENT.url)
    assert claims["body_sha256"] == hashlib.sha256(SENT.body).hexdigest()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(headers["voice-agent-context"], b"x" * 32, algorithms=["HS256"], options={"verify_exp": False})


def test_secrets_are_by_tenant_and_long_enough() -> None:
    assert secrets_by_tenant("") == {}
    assert secrets_by_tenant(f'{{"acme": {{"crm": "{SECRET}"}}}}') == {"acme": {"crm": SECRET}}
    for text in (
        "{",
        "[]",
        '{"acme": "x"}',
        '{"acme": {"crm": 5}}',
        '{"acme": {"crm": "short"}}',
        '{"a": {"b": "whsec_%"}}',
    ):
        with pytest.raises(InvalidRequest):
            secrets_by_tenant(text)
