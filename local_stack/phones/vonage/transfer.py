"""A second leg: somebody is dialled for the caller, hears what is whispered, and is put through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.vonage.account import digits_of, new_leg
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.ncco import Action, Connect, Phone, Talk
from local_stack.phones.vonage.notices import Notices, moment
from local_stack.phones.vonage.options import CallOptions
from local_stack.phones.vonage.state import LegState
from local_stack.phones.vonage.webhooks import WebhookSender

_TALKS_S: Final = 2.0
"""How long who was called stays on the line."""
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
        ring_s = min(person.ring_ms / 1000, action.timeout_s)
        await self.line.pause(action.timeout_s if person.callee is Callee.NO_ANSWER else ring_s)
        if not person.callee.picks_up:
            status, detail = _STATUS[person.callee]
            self.line.log.add("transfer_failed", to=number, status=status)
            return await self._tell_end(action, url, self._event(leg, phone, status, detail=detail))
        self.notices.tell(url, self._event(leg, phone, "answered"))
        if phone.on_answer is not None:
            await self._whisper(leg, phone, phone.on_answer)
        self.line.log.add("transfer_answered", to=number, keys=phone.dtmf)
        await self.line.pause(_TALKS_S)
        return await self._tell_end(action, url, self._event(leg, phone, "completed", duration=f"{_TALKS_S:.0f}"))

    async def _whisper(self, leg: str, phone: Phone, url: str) -> None:
        """Asked for by GET, as nothing else can be set."""
        document = {**self.state.parties(), "to": phone.number, "uuid": leg}
        request = self.sender.prepare("whisper", url, document, method="GET")
        try:
            actions = await self.sender.asked(request, document, None)
        except VonageFault as fault:
            self.line.log.add("carrier_error", code=fault.code, message=fault.message)
            return
        spoken = " ".join(action.text for action in actions or [] if isinstance(action, Talk))
        self.line.log.add("whispered", text=spoken)

    async def _tell_end(self, action: Connect, url: str | None, event: dict[str, Any]) -> list[Action] | None:
        if url is None or not action.is_synchronous:
            self.notices.tell(url, event)
            return None
        return await self.sender.ask("transfer", url, event)

    def _event(self, leg: str, phone: Phone, status: str, **more: Any) -> dict[str, Any]:
        parties = {"from": digits_of(self.options.own_number), "to": phone.number, "uuid": leg}
        facts = {"status": status, "direction": "outbound", "conversation_uuid": self.state.conversation}
        return {**facts, **parties, **more, "timestamp": moment(self.line.now_ms())}
