"""Twilio's doors with everything behind them faked, and Twilio before them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import azure.functions as func

from functions.webhooks import twilio, twilio_transfers, twilio_turns
from shared.adapters.twilio.desk import TwilioDesk
from shared.adapters.twilio.twiml import TwilioDocuments
from shared.domain.call import EndReason, Provider
from shared.domain.errors import NotFound, VoiceAgentError
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.events import TransferEnded
from shared.domain.telephony.lines import Line
from shared.domain.telephony.text_turns import Next, TextReply
from shared.use_cases.calls.answer_call import Answered, CallOffered
from tests.fakes.call import NORA
from tests.functions.conftest import request, user_function
from tests.shared.adapters.twilio import requests as made

MODULES = (twilio, twilio_turns, twilio_transfers)
FUNCTIONS = {
    "voice": twilio.twilio_voice,
    "resume": twilio.twilio_resume,
    "status": twilio.twilio_status,
    "stream-status": twilio.twilio_stream_status,
    "amd": twilio.twilio_answered_by,
    "recording": twilio.twilio_recording,
    "turn": twilio_turns.twilio_turn,
    "transfer": twilio_transfers.twilio_transfer,
    "person/join": twilio_transfers.twilio_person_joins,
    "person/told": twilio_transfers.twilio_person_gone,
    "person/machine": twilio_transfers.twilio_person_answered_by,
}
REPLY = TextReply(turn=0, sentences=("Hello.",), told=1, next=Next.LISTEN, language="en", voice="")


@dataclass
class Behind:
    """What is behind the doors. `error`: raised by whatever is asked next."""

    line: Line = Line.TWILIO
    error: VoiceAgentError | None = None
    reply: TextReply = REPLY
    offers: list[CallOffered] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)
    turns: list[tuple[Any, ...]] = field(default_factory=list)
    progress: list[tuple[Any, str]] = field(default_factory=list)
    recordings: list[Any] = field(default_factory=list)
    transfers: list[TransferEnded] = field(default_factory=list)
    moved: list[tuple[str, ...]] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)
    ended: list[tuple[str, EndReason]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    """Whose the calls are, by any of their ids."""

    def _fail(self) -> None:
        if (error := self.error) is not None:
            raise error

    def services(self) -> dict[str, Any]:
        desk = TwilioDesk(made.make_webhooks(), TwilioDocuments(made.ADDRESSES), self, self)  # type: ignore[arg-type]
        return {
            "carriers": type("Carriers", (), {"twilio": desk})(),
            "answer_call": self,
            "look_up_calls": self,
            "move_media": self,
            "take_text_turn": _Turns(self),
            "note_progress": self.note_progress,
            "note_transfer": self.note_transfer,
            "calling": SimpleNamespace(fetch_recording=self),
        }

    async def is_among(
        self, tenants: Collection[str], provider: Provider, *, provider_call_ids: Iterable[str], call_id: str
    ) -> bool:
        known = {self.owners[one] for one in (*provider_call_ids, call_id) if one in self.owners}
        return provider is Provider.TWILIO and known <= {*tenants}

    # answering and moving

    async def by_number(self, offer: CallOffered, orchestrations: Any) -> Answered:
        self._fail()
        self.offers.append(offer)
        return Answered("call-1", NORA, self.line, "the-ticket")

    async def by_call(self, provider: Provider, call_id: str, provider_call_id: str, orchestrations: Any) -> Answered:
        self._fail()
        self.answered.append((call_id, provider_call_id))
        return Answered(call_id, NORA, self.line, "the-ticket")

    async def resume(self, provider: Provider, provider_call_id: str) -> Answered:
        self._fail()
        self.moved.append(("resume", provider_call_id))
        return Answered("call-1", NORA, self.line, "another-ticket")

    async def stream_broke(self, provider: Provider, provider_call_id: str, stream_id: str) -> None:
        self.moved.append(("broke", provider_call_id, stream_id))

    async def stream_stopped(self, provider: Provider, provider_call_id: str, stream_id: str) -> None:
        self.moved.append(("stopped", provider_call_id, stream_id))

    async def require(self, call_id: str, provider: Provider, provider_call_id: str) -> None:
        if (call_id, provider_call_id) != ("call-1", made.CALL_SID):
            raise NotFound("call_unknown", "another call")

    async def note_progress(self, event: Any, *, call_id: str = "") -> None:
        self._fail()
        self.progress.append((event, call_id))

    async def announced(self, event: Any, orchestrations: Any) -> None:
        self._fail()
        self.recordings.append(event)

    async def note_transfer(self, event: TransferEnded) -> None:
        self.transfers.append(event)

    # commands

    async def transfer(self, call: str, transfer: Transfer) -> None:
        self.told.append(("transfer", call, transfer))
        self._fail()

    async def put_through(self, caller_sid: str, account_sid: str) -> None:
        self._fail()
        self.told.append(("put through", caller_sid, account_sid))

    async def hang_up(self, call: str) -> None:
        self.told.append(("hang up", call))

    async def take(self, name: str, *, lifetime_s: int) -> bool:
        is_first = name not in self.taken
        self.taken.add(name)
        return is_first


class _Turns:
    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    async def __call__(
        self, call_id: str, turn: int, words: str | None, *, after: int = 0, within_s: float, language: str = ""
    ) -> TextReply:
        self._behind._fail()
        self._behind.turns.append((call_id, turn, words, after, language))
        assert within_s < 10
        return self._behind.reply

    async def listen_again(self, call_id: str) -> TextReply:
        self._behind.turns.append((call_id, "again"))
        return self._behind.reply


async def post(name: str, *, query: str = "", secret: str = made.TOKEN, **changes: str) -> func.HttpResponse:
    """Twilio asks at a door; an empty `secret` leaves the request unsigned."""
    form = made.FORM | changes
    path = f"/api/webhooks/twilio/{name}{query}"
    headers = {"content-type": made.FORM_TYPE}
    if secret:
        headers |= {n.lower(): v for n, v in made.signed_headers(secret, made.BASE + path, form).items()}
    # behind the platform's proxy the host in the URL is not the public one
    sent = request("POST", f"http://10.0.0.4:8080{path}", headers=headers, body=urlencode(form).encode())
    function = user_function(FUNCTIONS[name])
    response: func.HttpResponse = await (
        function(sent, object()) if name in ("voice", "recording") else function(sent)
    )
    return response


def tags(response: func.HttpResponse) -> list[str]:
    """What Twilio is to do, verb by verb."""
    assert (response.status_code, response.mimetype) == (200, "text/xml")
    assert response.headers["Cache-Control"] == "no-store"
    return [element.tag for element in ET.fromstring(response.get_body())]
