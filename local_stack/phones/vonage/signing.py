"""How Vonage signs what it asks of an app: a JWT over each body.

Source: https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks
"""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

import jwt

from local_stack.phones.vonage.account import Account

_OLD_S: Final = 3600


class Signing(StrEnum):
    VALID = "valid"
    NONE = "none"
    WRONG = "wrong"
    """With a secret that is not the account's."""
    OLD = "old"
    FOREIGN = "foreign"
    """Signed by the account, for another application."""
    OTHER_BODY = "other body"


def token(account: Account, body: bytes, signing: Signing = Signing.VALID) -> str:
    """What an app is shown with a request that has this body."""
    if signing is Signing.WRONG:
        account = replace(account, signature_secret="w" * 32)
    claims: dict[str, Any] = {
        "iat": int(time.time()) - (_OLD_S if signing is Signing.OLD else 0),
        "jti": str(uuid.uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(b"{}" if signing is Signing.OTHER_BODY else body).hexdigest(),
        "api_key": account.api_key,
        "application_id": str(uuid.uuid4()) if signing is Signing.FOREIGN else account.application_id,
    }
    return jwt.encode(claims, account.signature_secret, algorithm="HS256")


def headers(account: Account, body: bytes, signing: Signing = Signing.VALID) -> dict[str, str]:
    if signing is Signing.NONE:
        return {}
    return {"Authorization": f"Bearer {token(account, body, signing)}"}
