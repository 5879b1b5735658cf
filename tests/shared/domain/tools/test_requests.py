"""What a model gives cannot leave its place in a request."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidRequest
from shared.domain.tools.requests import In, Operation, Place, is_header_for_models, operation_of, prepare

URL = "https://api.example.com/v1/orders/{id}/items?fixed=1"
ORDER = operation_of("GET", URL, {"id": {}, "q": {}})


def test_arguments_go_where_they_belong() -> None:
    prepared = prepare(ORDER, {"id": "a b?c#d", "q": ["1&2", True, 3]})
    assert prepared.url == "https://api.example.com/v1/orders/a%20b%3Fc%23d/items?fixed=1&q=1%262&q=true&q=3"
    assert (prepared.method, prepared.body) == ("GET", b"")
    posted = prepare(operation_of("POST", "https://a.example/{id}", {"id": {}, "n": {}}), {"id": 5, "n": {"a": None}})
    assert (posted.url, json.loads(posted.body)) == ("https://a.example/5", {"n": {"a": None}})
    assert posted.headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    "value",
    ["../admin", "..", ".", "", "a/b", "a\\b", "%2e%2e", "..%2fadmin", "a\r\nHost: x", "\x00", {"a": 1}, None, []],
)
def test_nothing_climbs_out_of_a_path(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        prepare(ORDER, {"id": value})


def test_halves_of_characters_are_no_crash() -> None:
    prepared = prepare(ORDER, {"id": "a\ud800", "q": "\udfff"})
    assert prepared.url.endswith("/orders/a%3F/items?fixed=1&q=%3F")
    assert prepare(operation_of("POST", "https://a.example/", {"a": {}}), {"a": "\ud800"}).body == b'{"a": "?"}'


@given(st.text(max_size=60), st.text(max_size=60))
def test_host_and_path_are_those_of_the_template_whatever_is_given(in_path: str, in_query: str) -> None:
    try:
        url = prepare(ORDER, {"id": in_path, "q": in_query}).url
    except InvalidRequest:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "api.example.com", "")
    assert parts.path.split("/")[:4] == ["", "v1", "orders", parts.path.split("/")[3]]
    assert parts.path.endswith("/items")
    assert len(parts.path.split("/")) == 5
    assert parse_qs(parts.query, keep_blank_values=True) == {"fixed": ["1"], "q": [in_query]}


@pytest.mark.parametrize(
    "url",
    [
        "https://{id}.example.com/",
        "https://example.com:{id}/",
        "https://{id}@example.com/",
        "https://u:p@example.com/",
    ],
)
def test_a_template_whose_host_could_be_changed_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        operation_of("GET", url, {"id": {}})


def test_a_template_that_names_what_nobody_gives_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        operation_of("GET", "https://example.com/{other}", {"id": {}})


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "", "é", "x" * 2_000, " a", "\x7f"])
def test_nothing_is_injected_into_headers(value: str) -> None:
    operation = Operation("GET", "https://example.com/", {"trace": Place(In.HEADER, "x-trace")})
    assert prepare(operation, {"trace": "plain text"}).headers == {"x-trace": "plain text"}
    with pytest.raises(InvalidRequest):
        prepare(operation, {"trace": value})


def test_some_headers_are_never_the_models() -> None:
    assert is_header_for_models("X-Trace-Id")
    for name in ("Authorization", "HOST", "Cookie", "webhook-signature", "voice-agent-context", "Idempotency-Key"):
        assert not is_header_for_models(name)
    for name in ("a\r\nb", "a b", "", "X-Forwarded-For", "a:b"):
        assert not is_header_for_models(name)


def test_a_form_and_a_whole_body() -> None:
    form = Operation(
        "POST", "https://example.com/", {"a": Place(In.BODY, "a"), "b": Place(In.BODY, "b")}, is_form=True
    )
    assert prepare(form, {"a": "1&b=2", "b": None}).body == b"a=1%26b%3D2"
    whole = Operation("PUT", "https://example.com/", {"body": Place(In.WHOLE_BODY, "body")})
    assert prepare(whole, {"body": [1, 2]}).body == b"[1, 2]"


def test_an_address_has_an_end() -> None:
    with pytest.raises(InvalidRequest):
        prepare(ORDER, {"id": "x", "q": "y" * 3_000})
