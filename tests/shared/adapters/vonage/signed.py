"""Requests as Vonage signs them, for tests."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import jwt

from shared.adapters.vonage.signature import SigningAccounts

SECRET, API_KEY = "s" * 32, "a1b2c3d"
APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
ACCOUNTS = SigningAccounts({API_KEY: (SECRET, "")}, APPLICATION)
LEG, OTHER_LEG = "63f61863-4a51-4f6b-86e1-46edebcf9356", "0779a56d002f1c7f47f82ef5fe84ab79"
ANSWER = {
    "from": "14155550100",
    "to": "15550100014",
    "uuid": LEG,
    "conversation_uuid": "CON-1",
    "endpoint_type": "phone",
    "region_url": "https://api-us-3.vonage.com",
}


def authorization(body: bytes, now_s: float, *, secret: str = SECRET, **changed: Any) -> str:
    claims = {
        "iat": int(now_s),
        "jti": str(uuid.uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": API_KEY,
        "application_id": APPLICATION,
        **changed,
    }
    return "Bearer " + jwt.encode(claims, secret, algorithm="HS256")


def body_of(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
