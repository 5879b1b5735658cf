"""Requests to AWS are signed as AWS's own SDK signs them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.adapters.connect.aws_api import error_name, read_instance
from shared.adapters.connect.sigv4 import AwsKeys, Scope, signed_headers
from shared.domain.errors import InvalidRequest

AT = datetime(2026, 11, 22, 21, 0, 0, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CONNECT = "https://connect.us-east-1.amazonaws.com"
MEDIA = "https://s-1234.kinesisvideo.eu-west-1.amazonaws.com/getMedia"


@pytest.mark.parametrize(
    ("method", "url", "body", "service", "token", "signature"),
    [
        (
            "PUT", f"{CONNECT}/contact/outbound-voice", b'{"a":1}', "connect", "",
            "ab14f2409ecab50293c91cfa9d96568e6945a01b9b3fea045009e94222613b23",
        ),
        (
            "GET", f"{CONNECT}/contacts/c8c0%2Fe/4a57%20x", b"", "connect", "",
            "4328325966430ead34fc7282704795f8b610a98741ef60f742619b5ed798a219",
        ),
        (
            "POST", MEDIA, b'{"StreamARN":"x"}', "kinesisvideo", "TOKEN==",
            "7e00a1a6c51b6ff45849b232274c0e356bec50675b445312792436570c80e8aa",
        ),
        (
            "POST", "http://localhost:7083/contact/stop", b"{}", "connect", "",
            "54195ad95710be610e8fd5af9e0fc640c3acb79e48c8a506d83f7612925ad189",
        ),
    ],
)  # fmt: skip
def test_the_vectors_of_botocore(
    *, method: str, url: str, body: bytes, service: str, token: str, signature: str
) -> None:
    """Made with botocore 1.44.5, `SigV4Auth`, at the same moment."""
    headers = {"content-type": "application/json"} if body else {}
    keys = AwsKeys("AKIDEXAMPLE", SECRET, token)
    signed = signed_headers(keys, Scope("us-east-1", service), method, url, body=body, headers=headers, at=AT)
    assert signed["authorization"].endswith(f"Signature={signature}")
    assert f"Credential=AKIDEXAMPLE/20261122/us-east-1/{service}/aws4_request" in signed["authorization"]
    assert signed["x-amz-date"] == "20261122T210000Z"
    assert signed.get("x-amz-security-token", "") == token


def test_keys_do_not_show() -> None:
    assert SECRET not in repr(AwsKeys("AKIDEXAMPLE", SECRET, "TOKEN"))


@pytest.mark.parametrize(
    ("headers", "content", "name"),
    [
        ({"x-amzn-errortype": "ContactNotFoundException:http://x/coral/"}, b"", "ContactNotFoundException"),
        ({}, b'{"__type": "com.amazonaws.connect#LimitExceededException"}', "LimitExceededException"),
        ({}, b'{"code": "ThrottlingException"}', "ThrottlingException"),
        ({}, b"<html>", ""),
        ({}, b"[]", ""),
        ({}, b"[" * 100_000, ""),
    ],
)
def test_the_kind_of_an_error(headers: dict[str, str], content: bytes, name: str) -> None:
    assert error_name(headers, content) == name


def test_an_instance_tells_its_region() -> None:
    instance = read_instance(" arn:aws:connect:ap-south-1:111122223333:instance/c8c0e68d-2200 ")
    assert (instance.region, instance.instance_id) == ("ap-south-1", "c8c0e68d-2200")
    with pytest.raises(InvalidRequest):
        read_instance("arn:aws:lambda:us-east-1:111122223333:function:x")
