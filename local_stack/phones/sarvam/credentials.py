"""By what an app knows who asks it: what tools and hooks bear, and how the results of a saved webhook are signed.

Source: https://docs.sarvam.ai/voice-agents/settings/webhooks
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local_stack.phones.sarvam.misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from local_stack.phones.sarvam.options import CallOptions


@dataclass(frozen=True)
class Credentials:
    """Of one call. `result_url`: where its result is told; empty: to the saved webhook."""

    bearer: str = field(repr=False)
    signing_secret: str = field(repr=False)
    result_url: str

    @classmethod
    def of(cls, options: CallOptions) -> Credentials:
        secret, url, wayward = options.account.webhook_secret, options.result_url, options.misbehaviours
        signing = options.account.signing_secret
        if Misbehaviour.FOREIGN_BEARER in wayward:
            head, _, name = url.rpartition("/")
            return cls("x" * len(secret), "x" * len(signing), f"{head}/{'x' * len(name)}" if url else "")
        if Misbehaviour.CUT_BEARER in wayward:
            return cls(secret[:-1], signing[:-1], url[:-1])
        return cls(secret, signing, url)

    def of_hook(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"}

    def of_saved_webhook(self, body: bytes, now_s: float) -> dict[str, str]:
        if not self.signing_secret:
            return self.of_hook()
        moment = str(int(now_s))
        signed = hmac.new(self.signing_secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
        return {**self.of_hook(), "Sarvam-Timestamp": moment, "Sarvam-Signature": signed.hexdigest()}
