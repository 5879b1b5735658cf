"""What Vonage asks and tells us over HTTP: signed JSON by POST, each request once.

Source: https://developer.vonage.com/en/voice/voice-api/webhook-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.vonage.events import call_events, caller_words, transfer_news
from shared.adapters.vonage.leg_notes import LegNotes
from shared.adapters.vonage.parties import leg_of, party
from shared.adapters.vonage.signature import SEEN_FOR_S, SigningAccounts
from shared.domain.errors import InvalidRequest, Unauthenticated
from shared.domain.json_text import read_json
from shared.domain.telephony.events import CallerSpoke, TelephonyEvent, TransferEnded
from shared.ports.clock import Clock
from shared.ports.once import Once

MAX_BODY_BYTES = 64 * 1024
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class VonageRequest:
    """A verified request. Its fields are looked at one by one, since none of them can be relied on to be there."""

    document: Mapping[str, Any] = field(repr=False)
    jti: str

    def text(self, name: str) -> str:
        """A field's text; empty where it is missing or something else."""
        value = self.document.get(name)
        return value if isinstance(value, str) else ""

    @property
    def leg(self) -> str:
        """The `uuid` of the leg that this is about. Raises: InvalidRequest."""
        leg = leg_of(self.document)
        if not leg:
            raise InvalidRequest("leg", "uuid is missing or malformed")
        return leg

    def is_about(self, leg: str) -> bool:
        """Whether it names no other leg."""
        return leg_of(self.document) in ("", leg)

    @property
    def caller(self) -> str:
        return party(self.text("from") or self.text("from_user"))

    @property
    def callee(self) -> str:
        return party(self.text("to"))

    @property
    def comes_again(self) -> bool:
        """Whether it asks for the rest of what is to be said."""
        return "payload" in self.document

    @property
    def socket_broke(self) -> bool:
        return self.text("status") == "disconnected"

    def events(self, leg: str) -> tuple[TelephonyEvent, ...]:
        """What it says of the call. `leg`: the caller's, where our address names it."""
        return call_events(self.document, leg=leg)

    def words(self, turn: int) -> CallerSpoke:
        return caller_words(self.document, turn)

    def transfer_news(self, leg: str) -> TransferEnded | None:
        return transfer_news(self.document, leg)

    def notes(self, call_id: str, own_number: str = "") -> LegNotes:
        """What is worth noting of the leg."""
        return LegNotes(call_id, self.text("conversation_uuid"), own_number, self.text("region_url"))


class VonageWebhooks:
    """Lets in what Vonage signed for our account and has not brought before."""

    def __init__(self, accounts: SigningAccounts, once: Once, clock: Clock) -> None:
        self._accounts = accounts
        self._once = once
        self._clock = clock

    async def verify(self, *, content_type: str, body: bytes, authorization: str | None) -> VonageRequest:
        """Raises: Unauthenticated, InvalidRequest, StoreError (retryable)."""
        if len(body) > MAX_BODY_BYTES:
            raise InvalidRequest("body_too_large", f"a webhook has at most {MAX_BODY_BYTES} bytes")
        if content_type.partition(";")[0].strip().lower() != _JSON:
            raise InvalidRequest("content_type", f"a webhook is {_JSON}: set the method of answer and event to POST")
        jti = self._accounts.check(authorization, body, self._clock.now_ms() / 1000)
        document = _object(body)
        if not await self._once.take(_once_name(jti), lifetime_s=SEEN_FOR_S):
            raise Unauthenticated("vonage_replay", "this request has come before")
        return VonageRequest(document, jti)

    async def let_come_again(self, request: VonageRequest) -> None:
        """We could not do what it asks for, and want it again: it then counts as new. Raises: StoreError."""
        await self._once.give_back(_once_name(request.jti))


def _once_name(jti: str) -> str:
    return f"vonage:{jti}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = read_json(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("not_json", "the body is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRequest("not_an_object", "the body is not a JSON object")
    return document
