"""The addresses of ours that providers are given say which call, and nothing of it: hosts and providers log them."""

from __future__ import annotations

import inspect
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared.adapters.twilio.addresses import TwilioAddresses
from shared.adapters.vonage.own_links import OwnLinks

SAYS_NOTHING = {"call", "leg", "caller", "turn", "after", "again", "rest", "language", "id", "until", "mac"}
"""Ids (a caller's is Twilio's of the call), counts, a language, and a seal."""
BASE = "https://voice.example.com"
MADE: dict[str, Any] = {
    "twilio": TwilioAddresses(BASE, "wss://media.example.com/a", "wss://media.example.com/b"),
    "vonage": OwnLinks(BASE, "a-secret-of-ours"),
}


def addresses() -> list[tuple[str, str]]:
    """All that are made, each parameter filled."""
    made = []
    for provider, maker in MADE.items():
        for name, method in inspect.getmembers(maker, inspect.ismethod):
            signature = inspect.signature(method)
            if name.startswith("_") or signature.return_annotation != "str":
                continue
            samples = {"str": "sample", "int": 7}
            given = {key: samples[one.annotation] for key, one in signature.parameters.items()}
            positional = [given[key] for key, one in signature.parameters.items() if one.kind is not one.KEYWORD_ONLY]
            named = {key: given[key] for key, one in signature.parameters.items() if one.kind is one.KEYWORD_ONLY}
            made.append((f"{provider} {name}", method(*positional, **named)))
    return made


def test_there_are_addresses() -> None:
    assert len(addresses()) > 15


@pytest.mark.parametrize(("name", "url"), addresses(), ids=lambda value: value if " " in value else "")
def test_an_address_says_which_call_and_nothing_of_it(name: str, url: str) -> None:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    assert url.startswith(f"{BASE}/api/webhooks/{name.split(maxsplit=1)[0]}/")
    assert query.keys() <= SAYS_NOTHING
    assert "secret" not in url
