"""The vectors come from the carrier's own validator tests; see twilio-python tests/unit/test_request_validator.py."""

from __future__ import annotations

import pytest

from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.signature import Signer, Signing, sign

TOKEN = "12345"
FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
JSON_URL = (
    "https://mycompany.com/myapp.php?foo=1&bar=2"
    "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
)


@pytest.mark.parametrize(
    ("url", "fields", "expected"),
    [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", FIELDS, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", FIELDS, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", FIELDS, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("http://mycompany.com:80/myapp.php?foo=1&bar=2", FIELDS, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (JSON_URL, [], "a9nBmqA0ju/hNViExpshrM61xv4="),
        ("https://a.example/x", [("Digits", ""), ("CallSid", "CA1")], "Ga5nIJmvR+UFlbkT7sHG5lR/eeE="),
        (
            "https://voice.example.com/twilio/voice?CallSid=CA1&From=%2B1415",
            [],
            "SJgO5V4zKlNDa2mLZMy1lXS0l1c=",
        ),
        ("wss://voice.example.com/twilio/media", [], "PGLrn08/Ba1sEIuSwPQRBPD54PA="),
    ],
)
def test_agrees_with_the_carriers_vectors(url: str, fields: list[tuple[str, str]], expected: str) -> None:
    assert sign(TOKEN, url, fields) == expected


def test_repeated_fields_are_signed_once_and_in_order() -> None:
    fields = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign(TOKEN, url, fields) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="


def test_an_attacker_signs_wrongly_or_not_at_all() -> None:
    url, signer = "https://a.example/x", Signer(TOKEN)
    assert signer.headers(Signing.NONE, url) == {}
    wrong = signer.headers(Signing.WRONG, url)["X-Twilio-Signature"]
    right = signer.headers(Signing.VALID, url)["X-Twilio-Signature"]
    assert wrong != right
    assert len(wrong) == len(right)


def test_a_shared_key_signs_with_sha_256_and_says_so() -> None:
    account = Account("AC" + "0" * 32, "token", {"SK1": TOKEN})
    headers = Signer.of(account, by_shared_key=True).headers(
        Signing.VALID, "https://mycompany.com/myapp.php?foo=1&bar=2", FIELDS
    )
    assert headers["X-Twilio-Signature"] == "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="
    assert headers["X-Twilio-Webhooks-Signature-Settings"] == "key=SK1,algorithm=HMAC_SHA256"
    with pytest.raises(ValueError, match="no shared key"):
        Signer.of(Account("AC" + "0" * 32, "token"), by_shared_key=True)
