"""How the carrier signs what it sends; written apart from the app's check of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from enum import StrEnum

FormFields = Sequence[tuple[str, str]]


class Signing(StrEnum):
    """Whether a request bears the carrier's signature; the other two are what an attacker sends."""

    VALID = "valid"
    NONE = "none"
    WRONG = "wrong"


def sign(auth_token: str, url: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """Base64 HMAC-SHA1 over the URL as requested and the form: names in order, each with its distinct values.

    Source: https://www.twilio.com/docs/usage/security#validating-requests
    """
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def signature_headers(signing: Signing, auth_token: str, url: str, fields: FormFields = ()) -> dict[str, str]:
    """The signature header as the carrier sends it, or as somebody sends it who does not know the secret."""
    match signing:
        case Signing.NONE:
            return {}
        case Signing.WRONG:
            return {"X-Twilio-Signature": sign(auth_token + "?", url, fields)}
        case Signing.VALID:
            return {"X-Twilio-Signature": sign(auth_token, url, fields)}
