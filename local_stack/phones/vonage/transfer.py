"""A second leg: somebody is dialled for the caller, hears what is whispered, and is joined with the caller.

Source: https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from local_stack.phones.other_party import OtherParty, ring, ring_during
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.provider_speech import SpeechTrouble
from local_stack.phones.vonage.account import digits_of, new_leg
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.ncco import Action, Connect, Phone, Talk
from local_stack.phones.vonage.notices import Notices, moment
from local_stack.phones.vonage.options import CallOptions
from local_stack.phones.vonage.state import LegState
from local_stack.phones.vonage.webhooks import WebhookSender

_STATUS: Final = {
    Callee.BUSY: ("busy", ""),
    Callee.NO_ANSWER: ("unanswered", "timeout"),
    Callee.REJECTS: ("rejected", "declined"),
    Callee.FAILED: ("failed", "cannot_route"),
}


@dataclass(frozen=True)
class Transferring:
    """Within one call."""

    options: CallOptions
    state: LegState
    line: PhoneLine
    sender: WebhookSender
    notices: Notices

    async def run(self, action: Connect, phone: Phone) -> list[Action] | None:
        """What is next, where the app says so after a failure. Raises: LineOver, LineCut, VonageFault."""
        leg, number = new_leg(), f"+{phone.number}"
        person = self.options.people.get(number, CalledPerson())
        url = action.url or self.options.event_url
        for status in ("started", "ringing"):
            self.notices.tell(url, self._event(leg, phone, status))
        rings_s = action.timeout_s if person.callee is Callee.NO_ANSWER else person.ring_ms / 1000
        await ring(self.line, min(rings_s, action.timeout_s))
        if not person.callee.picks_up or rings_s > action.timeout_s:
            status, detail = _STATUS.get(person.callee, _STATUS[Callee.NO_ANSWER])
            self.line.log.add("transfer_failed", to=number, status=status)
            return await self._tell_end(action, url, self._event(leg, phone, status, detail=detail))
        self.notices.tell(url, self._event(leg, phone, "answered"))
        party = OtherParty(person, leg, (self.options.own_number, number), self.line.clock, self.options.state_dir)
        try:
            await self._meet(party, leg, action, phone)
        except BaseException:
            self.notices.tell(url, self._completed(party, leg, phone))
            raise
        finally:
            await party.hang_up()
        return await self._tell_end(action, url, self._completed(party, leg, phone))

    async def _meet(self, party: OtherParty, leg: str, action: Connect, phone: Phone) -> None:
        """Until one of the two hangs up. Raises: LineOver, LineCut."""
        whisper = b""
        if phone.on_answer is not None:
            whisper = await ring_during(self.line, self._whisper(leg, phone, phone.on_answer))
        party.pick_up(phone.dtmf.replace("p", "w"))
        await ring_during(self.line, party.hear(whisper))
        self.line.log.add("transfer_answered", to=f"+{phone.number}", keys=phone.dtmf, call_sid=leg)
        await party.talk_with(self.line, action.limit_s)

    async def _whisper(self, leg: str, phone: Phone, url: str) -> bytes:
        """As sound; asked for by GET, as nothing else can be set. Empty where the app has nothing to say."""
        document = {**self.state.parties(), "to": phone.number, "uuid": leg}
        request = self.sender.prepare("whisper", url, document, method="GET")
        try:
            actions = await self.sender.asked(request, document, None)
            texts = [action.text for action in actions or [] if isinstance(action, Talk)]
            sound = b"".join([await self.options.speech.say_to_line(text) for text in texts])
        except VonageFault as fault:
            self.line.log.add("carrier_error", code=fault.code, message=fault.message)
            return b""
        except SpeechTrouble as trouble:
            self.line.log.add("provider_trouble", message=str(trouble))
            return b""
        self.line.log.add("whispered", text=" ".join(texts))
        return sound

    async def _tell_end(self, action: Connect, url: str | None, event: dict[str, Any]) -> list[Action] | None:
        if url is None or not action.is_synchronous:
            self.notices.tell(url, event)
            return None
        return await self.sender.ask("transfer", url, event)

    def _completed(self, party: OtherParty, leg: str, phone: Phone) -> dict[str, Any]:
        return self._event(leg, phone, "completed", duration=str(max(1, math.ceil(party.stayed_s))))

    def _event(self, leg: str, phone: Phone, status: str, **more: Any) -> dict[str, Any]:
        parties = {"from": digits_of(self.options.own_number), "to": phone.number, "uuid": leg}
        facts = {"status": status, "direction": "outbound", "conversation_uuid": self.state.conversation}
        return {**facts, **parties, **more, "timestamp": moment(self.line.now_ms())}
