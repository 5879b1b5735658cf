"""Where the verbs of a call are carried out: what each of them needs, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_stack.phones import g711, wav
from local_stack.phones.events import EventLog
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.provider_voice import ProviderVoice
from local_stack.phones.resampling import to_telephone
from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.forms import Fields
from local_stack.phones.twilio.notices import Notices
from local_stack.phones.twilio.verbs import Action
from local_stack.phones.twilio.voice_webhook import Source
from local_stack.phones.twilio.webhooks import WebhookSender


class CallEnded(Exception):
    """Unwinds the call; not an error."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Stage:
    """One call while its TwiML is carried out."""

    context: CallContext
    sender: WebhookSender
    notices: Notices
    farewells: list[Source] = field(default_factory=list)
    """Addresses that are told of the caller's end, because a verb that names them was under way."""

    @property
    def line(self) -> PhoneLine:
        return self.context.line

    @property
    def log(self) -> EventLog:
        return self.context.log

    def voice(self) -> ProviderVoice:
        """The carrier's voice on this line; whoever takes it stops it."""
        return ProviderVoice(self.line, self.context.carrier.speech)

    def note(self, fault: CarrierFault) -> None:
        """The app's error log gets a line; the call goes on."""
        self.log.add("carrier_error", code=int(fault.code), message=fault.message)

    async def sound_at(self, url: str) -> bytes:
        """A recording fetched from an address, µ-law at 8 kHz. Raises: CarrierFault."""
        answer = await self.sender.send(self.sender.prepare("media", "GET", url, []))
        try:
            recording = wav.read(answer.body)
        except wav.UnusableAudio as error:
            raise CarrierFault(ErrorCode.INVALID_CONTENT_TYPE, f"{url} cannot be played: {error}") from None
        return g711.encode(to_telephone(recording.samples, recording.rate_hz))


def asked(action: Action, fields: Fields) -> Source | None:
    """What comes next according to the action's address; None where the verb has none."""
    return None if action.url is None else Source(action.url, action.method, None, fields)
