"""How the carrier signs what it sends; written apart from the app's check of it."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from local_stack.phones.twilio.account import Account

FormFields = Sequence[tuple[str, str]]


class Signing(StrEnum):
    """Whether a request bears the carrier's signature; the other two are what an attacker sends."""

    VALID = "valid"
    NONE = "none"
    WRONG = "wrong"


def sign(secret: str, url: str, fields: Iterable[tuple[str, str]] = (), algorithm: str = "sha1") -> str:
    """Base64 HMAC over the URL as requested and the form: names in order, each with its distinct values.

    Source: https://www.twilio.com/docs/usage/security#validating-requests
    """
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(), algorithm).digest()).decode()


@dataclass(frozen=True)
class Signer:
    """With what an account's requests are signed: its token, or one of its shared keys."""

    secret: str
    shared_key_id: str = ""

    @classmethod
    def of(cls, account: Account, *, by_shared_key: bool = False) -> Signer:
        """Raises: ValueError where the account has no shared key."""
        if not by_shared_key:
            return cls(account.auth_token)
        if not account.shared_keys:
            raise ValueError("the account has no shared key: set TWILIO_SHARED_KEYS")
        key_id, secret = next(iter(account.shared_keys.items()))
        return cls(secret, key_id)

    def headers(self, signing: Signing, url: str, fields: FormFields = ()) -> dict[str, str]:
        """As the carrier sends them, or as somebody does who does not know the secret.

        Source: https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
        """
        if signing is Signing.NONE:
            return {}
        secret = self.secret + ("?" if signing is Signing.WRONG else "")
        if not self.shared_key_id:
            return {"X-Twilio-Signature": sign(secret, url, fields)}
        return {
            "X-Twilio-Signature": sign(secret, url, fields, "sha256"),
            "X-Twilio-Webhooks-Signature-Settings": f"key={self.shared_key_id},algorithm=HMAC_SHA256",
        }
