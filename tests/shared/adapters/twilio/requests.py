"""Requests as Twilio makes them, for the tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.addresses import TwilioAddresses
from shared.adapters.twilio.events import TwilioWebhook
from shared.adapters.twilio.signature import Algorithm, signature
from shared.adapters.twilio.webhooks import TwilioWebhooks

ACCOUNT, SUBACCOUNT = "AC" + "0" * 32, "AC" + "1" * 32
TOKEN, BEFORE, KEY, SUB_TOKEN, SUB_KEY = "secret", "before", "key-secret", "sub-secret", "sub-key-secret"
BASE = "https://voice.example.com"
MEDIA, RELAY = "wss://media.example.com/client/hubs/carriers", "wss://media.example.com/client/hubs/relays"
ADDRESSES = TwilioAddresses(f"{BASE}/", MEDIA, RELAY)
FORM_TYPE, JSON_TYPE = "application/x-www-form-urlencoded; charset=UTF-8", "application/json"
CALL_SID = "CA" + "a" * 32
FORM = {
    "AccountSid": ACCOUNT,
    "CallSid": CALL_SID,
    "CallStatus": "ringing",
    "From": "+14155550100",
    "To": "+15550100001",
    "FromCity": "",
    "CallerName": "",
}


def make_webhooks() -> TwilioWebhooks:
    accounts = TwilioAccounts(
        TwilioAccount(ACCOUNT, (TOKEN, BEFORE), {"key-1": KEY}),
        TwilioAccount(SUBACCOUNT, (SUB_TOKEN,), {"key-2": SUB_KEY}, frozenset({"globex"})),
    )
    return TwilioWebhooks(accounts=accounts, public_base_url=f"{BASE}/", socket_urls=(MEDIA, RELAY))


def signed_headers(
    secret: str, url: str, form: Mapping[str, str] | None = None, *, settings: str = ""
) -> dict[str, str]:
    """With `settings`, which then names key and algorithm."""
    algorithm = Algorithm.HMAC_SHA256 if "SHA256" in settings.upper() else Algorithm.HMAC_SHA1
    headers = {"X-Twilio-Signature": signature(secret, url, (form or {}).items(), algorithm)}
    return headers | ({"X-Twilio-Webhooks-Signature-Settings": settings} if settings else {})


def verified(address: str, **changes: str) -> TwilioWebhook:
    """The form, posted to one of our addresses and let in."""
    form = FORM | changes
    return make_webhooks().verify(
        path_and_query=address.removeprefix(BASE),
        content_type=FORM_TYPE,
        body=urlencode(form).encode(),
        headers=signed_headers(TOKEN, address, form),
    )
