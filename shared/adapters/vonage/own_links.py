"""The addresses of ours that Vonage is given within a call, and what keeps them from being made up."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode

from shared.domain.errors import Unauthenticated

_PURPOSE = b"whisper:"


class OwnLinks:
    """`secret`: our part of the signature secret, by which an address without a signed body is known for ours."""

    def __init__(self, public_base_url: str, secret: str) -> None:
        self._base = f"{public_base_url.rstrip('/')}/api/webhooks/vonage"
        self._secret = secret.encode()

    def answer(self, call_id: str) -> str:
        """For a call that we place."""
        return self._with("answer", call=call_id)

    def event(self, leg: str = "", *, call_id: str = "") -> str:
        """For what concerns the caller's leg and does not name it, or a call that we place."""
        return self._with("event", **({"call": call_id} if call_id else {"leg": leg}))

    def turn(self, call_id: str, leg: str, turn: int, *, after: int = 0) -> str:
        return self._with("turn", call=call_id, leg=leg, turn=str(turn), after=str(after))

    def turn_or_rest(self, call_id: str, leg: str, turn: int, *, after: int) -> str:
        """For the words of this turn or, where the caller is silent, for the rest of the answer before it."""
        return self._with("turn", call=call_id, leg=leg, turn=str(turn), after=str(after), rest="1")

    def transfer(self, leg: str) -> str:
        return self._with("transfer", leg=leg)

    def whisper(self, whisper_id: str, *, until_s: int) -> str:
        """Vonage asks this one by GET, whose signature covers nothing that can be relied on: it bears its own.

        `until_s`: Unix epoch, after which it does not hold.
        """
        until = str(until_s)
        return self._with("whisper", id=whisper_id, until=until, mac=self._mac(whisper_id, until))

    def require_whisper(self, whisper_id: str, until: str, mac: str, *, now_s: float) -> None:
        """Raises: Unauthenticated if these are not of such an address of ours that holds."""
        if not mac.isascii() or not hmac.compare_digest(mac, self._mac(whisper_id, until)):
            raise Unauthenticated("vonage_link", "the address is not one of ours")
        if int(until) < now_s:
            raise Unauthenticated("vonage_link", "the address does not hold any more")

    def _mac(self, whisper_id: str, until: str) -> str:
        sealed = _PURPOSE + f"{until}:{whisper_id}".encode(errors="replace")
        digest = hmac.new(self._secret, sealed, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _with(self, door: str, **parameters: str) -> str:
        return f"{self._base}/{door}?{urlencode(parameters)}"
