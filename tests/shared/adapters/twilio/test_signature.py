"""Signatures against the vectors of Twilio's own library, and everything that must not pass for one."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from shared.adapters.twilio.signature import Algorithm, Signed, is_body_of, is_signed, signature, signed_of

SECRET = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
RIGHT = "RSOYDt4T1cUTdK1PDd93/VVr8B8="

VECTORS = [
    (SECRET, URL, FORM, RIGHT),
    (SECRET, URL.replace(".com", ".com:443"), FORM, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    (SECRET, URL.replace("https://mycompany.com", "http://mycompany.com:1234"), FORM, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    (SECRET, URL.replace("https://mycompany.com", "http://mycompany.com:80"), FORM, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    (
        SECRET,
        URL,
        [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")],
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    (
        SECRET,
        f"{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
        [],
        "a9nBmqA0ju/hNViExpshrM61xv4=",
    ),
    (SECRET, "https://a.example/x", [("Digits", ""), ("CallSid", "CA1")], "Ga5nIJmvR+UFlbkT7sHG5lR/eeE="),
    (SECRET, "https://voice.example.com/twilio/voice?CallSid=CA1&From=%2B1415", [], "SJgO5V4zKlNDa2mLZMy1lXS0l1c="),
    (SECRET, "wss://voice.example.com/twilio/media", [], "PGLrn08/Ba1sEIuSwPQRBPD54PA="),
]


@pytest.mark.parametrize(("secret", "url", "form", "expected"), VECTORS, ids=[v[1] for v in VECTORS])
def test_vectors(secret: str, url: str, form: list[tuple[str, str]], expected: str) -> None:
    assert signature(secret, url, form) == expected
    assert signature(secret, url, reversed(form)) == expected, "the order of the form does not count"
    assert is_signed([secret], url, form, expected)


def test_text_is_signed_as_utf8() -> None:
    expected = base64.b64encode(hmac.new(b"s", "https://a/bNäme नाम".encode(), hashlib.sha1).digest()).decode()
    assert signature("s", "https://a/b", [("Näme ", "नाम")]) == expected


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://a.example/x", "https://a.example:443/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("wss://a.example/x", "wss://a.example:443/x"),
        ("http://a.example/x", "http://a.example:80/x"),
        ("http://localhost:7071/x", "http://localhost/x"),
        ("ws://localhost:7080/x", "ws://localhost:7080/x"),
    ],
)
def test_with_and_without_the_port(configured: str, signed: str) -> None:
    assert is_signed(["s"], configured, FORM, signature("s", signed, FORM))


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://a.example/x", "https://a.example:8443/x"),
        ("https://a.example:8443/x", "https://a.example:443/x"),
        ("https://a.example/x", "http://a.example/x"),
        ("wss://a.example/x", "https://a.example/x"),
        ("https://a.example/x", "https://b.example/x"),
        ("https://a.example/x", "https://a.example/x/"),
        ("https://a.example/x", "https://a.example/x?y=1"),
    ],
)
def test_another_address_is_another_signature(configured: str, signed: str) -> None:
    assert not is_signed(["s"], configured, FORM, signature("s", signed, FORM))


@pytest.mark.parametrize(
    "form",
    [
        FORM[:-1],
        [*FORM, ("Extra", "")],
        [*FORM[:-1], ("Caller", "+14158675300")],
        [("callSid", "CA1234567890ABCDE"), *FORM[1:]],
        [],
    ],
)
def test_another_form_is_another_signature(form: list[tuple[str, str]]) -> None:
    assert not is_signed([SECRET], URL, form, RIGHT)


@pytest.mark.parametrize(
    "given", [None, "", " ", RIGHT.lower(), RIGHT[:-1], f"{RIGHT} ", "é" * 28, "\u0000", "=" * 5000]
)
def test_what_is_no_signature(given: str | None) -> None:
    assert not is_signed([SECRET], URL, FORM, given)


def test_both_secrets_count_while_they_rotate_but_never_an_empty_one() -> None:
    assert is_signed(["new", SECRET], URL, FORM, RIGHT)
    assert not is_signed(["new", ""], URL, FORM, RIGHT)
    assert not is_signed(["", ""], URL, FORM, signature("", URL, FORM))
    assert not is_signed([], URL, FORM, RIGHT)


RIGHT_SHA256 = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="


def test_the_vector_of_the_second_scheme() -> None:
    assert signature(SECRET, URL, FORM, Algorithm.HMAC_SHA256) == RIGHT_SHA256
    assert is_signed([SECRET], URL, FORM, RIGHT_SHA256, Algorithm.HMAC_SHA256)
    assert not is_signed([SECRET], URL, FORM, RIGHT_SHA256)
    assert not is_signed([SECRET], URL, FORM, RIGHT, Algorithm.HMAC_SHA256)


def test_the_query_as_parameters_is_another_signature() -> None:
    """A form that one SDK checks; our sockets have no query, so it is not taken."""
    relay = "wss://voice.example.com/relay"
    assert signature(SECRET, relay, [("a", "1"), ("b", "2")]) == "fSk6d27t2mjv8a1PDfLkKqaOSYQ="
    assert not is_signed([SECRET], f"{relay}?a=1&b=2", (), "fSk6d27t2mjv8a1PDfLkKqaOSYQ=")


@pytest.mark.parametrize(("secret", "url", "form", "expected"), VECTORS, ids=[v[1] for v in VECTORS])
def test_every_part_of_a_vector_counts(secret: str, url: str, form: list[tuple[str, str]], expected: str) -> None:
    assert not is_signed([f"{secret}6"], url, form, expected)
    assert not is_signed([secret], f"{url}x", form, expected)
    assert not is_signed([secret], url.replace("://", "://x"), form, expected)
    assert not is_signed([secret], url, [*form, ("X", "1")], expected)
    for number, (name, value) in enumerate(form):
        rest = [pair for place, pair in enumerate(form) if place != number]
        if (name, value) not in rest:
            assert not is_signed([secret], url, rest, expected)
        assert not is_signed([secret], url, [*rest, (name, f"{value}0")], expected)
        assert not is_signed([secret], url, [*rest, (f"{name}0", value)], expected)


def test_a_body_is_the_one_that_the_address_names() -> None:
    body = b'{"property": "value", "boolean": true}'
    address = f"{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    assert is_body_of(address, body)
    assert is_body_of(address.replace("a1ff", "A1FF"), body)
    assert not is_body_of(address, body + b" ")
    assert not is_body_of(URL, body)
    assert not is_body_of(f"{address}&bodySHA256=00", body)
    assert not is_body_of(f"{URL}&bodySHA256=", b"")
    assert not is_body_of(f"{URL}&bodySHA256=é", body)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (None, Signed("s")),
        ("", Signed("s")),
        ("key=k1,algorithm=HMAC_SHA256", Signed("s", "k1", Algorithm.HMAC_SHA256)),
        (" algorithm = HMAC_SHA1 , key = k1 ", Signed("s", "k1")),
        ("algorithm=,key=k1", Signed("s", "k1")),
        ("algorithm=HMAC_SHA512", None),
    ],
)
def test_the_settings_of_a_signature(settings: str | None, expected: Signed | None) -> None:
    headers = {"X-TWILIO-SIGNATURE": "s"}
    if settings is not None:
        headers["x-twilio-webhooks-signature-settings"] = settings
    assert signed_of(headers) == expected
