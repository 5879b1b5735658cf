"""The headers that a function sees behave as the SDK's own, though nothing is decoded that nobody asks for."""

from __future__ import annotations

import pytest
from azure.functions._http import HttpRequestHeaders

from local_stack.functions_host.http_messages import LazyHeaders

_VALUES = {b"host": b"x", b"x-twice": b"one,two", b"x-odd": b"\xe4", b"empty": b""}


@pytest.fixture
def headers() -> LazyHeaders:
    return LazyHeaders(_VALUES)


def test_they_are_the_sdks(headers: LazyHeaders) -> None:
    eager = HttpRequestHeaders({"host": "x", "x-twice": "one,two", "x-odd": "ä", "empty": ""})
    assert isinstance(headers, HttpRequestHeaders)
    assert dict(headers) == dict(eager)
    assert list(headers.items()) == list(eager.items())
    assert len(headers) == len(eager)


@pytest.mark.parametrize("name", ["X-Twice", "x-twice", "X-TWICE"])
def test_a_name_has_no_case(headers: LazyHeaders, name: str) -> None:
    assert name in headers
    assert headers[name] == headers.get(name) == "one,two"


@pytest.mark.parametrize("name", ["missing", "", "नाम"])
def test_what_is_not_there(headers: LazyHeaders, name: str) -> None:
    assert name not in headers
    assert headers.get(name, "otherwise") == "otherwise"
    with pytest.raises(KeyError):
        headers[name]
