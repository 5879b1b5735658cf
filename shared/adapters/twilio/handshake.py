"""The first thing that Web PubSub asks about a socket of Twilio's: may it be let in?"""

from __future__ import annotations

import json

from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.domain.errors import InvalidRequest
from shared.ports.media_gate import Reply

_USER = "twilio"


def connect(webhooks: TwilioWebhooks, body: bytes) -> Reply:
    """Anonymous clients may knock; only Twilio's signature opens. Raises: Unauthenticated, InvalidRequest.

    Source: `connect` in https://learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("not_json", "the message is not JSON") from None
    given = document.get("headers") if isinstance(document, dict) else None
    webhooks.verify_socket({name: _first(value) for name, value in given.items()} if isinstance(given, dict) else {})
    return Reply(body={"userId": _USER})


def _first(value: object) -> str:
    """A header's first value: the service gives a list of them."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) else ""
