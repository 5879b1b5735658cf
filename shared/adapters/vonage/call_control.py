"""What Vonage can be told to do with a call. Source: https://developer.vonage.com/en/api/voice"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.vonage.events import PROGRESS
from shared.adapters.vonage.leg_notes import KnownLegs, LegNotes
from shared.adapters.vonage.ncco import Ncco, NccoWriter, keys_of
from shared.adapters.vonage.own_links import OwnLinks
from shared.adapters.vonage.parties import leg_of, party
from shared.adapters.vonage.rest import NoAnswer, VonageApi, document_of, refusal
from shared.adapters.vonage.whispers import Whispers
from shared.domain.call import CallState
from shared.domain.errors import Conflict, InvalidRequest, TelephonyError
from shared.domain.telephony.commands import Dial, DialUncertain, SendKeys, Transfer, Voicemail
from shared.domain.telephony.lines import Capability

_CALLS = "/v1/calls"
_CREATED = 201
_NOT_FOUND = 404
_ENDED_ALREADY = frozenset({400, 404, 409})
"""How a call that has ended answers to a command."""
_BEEP_TIMEOUT_S = 45
_LOOK_BACK = timedelta(minutes=15)
"""How old a call may be that an attempt of unknown age has begun."""
_CLOCKS_APART = timedelta(seconds=5)
_PAGE = 100
_UNSENDABLE = re.compile(r"[A-D]")


class VonageCallControl:
    """Fills the port `CallControl`. A call is the caller's leg; its id stays when the conversation changes."""

    capabilities = frozenset(
        {
            *(Capability.HANG_UP, Capability.COLD_TRANSFER, Capability.WARM_TRANSFER, Capability.KEYS_OUT),
            *(Capability.RECORDING, Capability.OUTBOUND, Capability.VOICEMAIL_DETECTION),
        }
    )

    def __init__(self, api: VonageApi, legs: KnownLegs, links: OwnLinks, whispers: Whispers) -> None:
        self._api = api
        self._legs = legs
        self._links = links
        self._whispers = whispers
        self._writer = NccoWriter(links)

    async def hang_up(self, provider_call_id: str) -> None:
        try:
            await self._command("hang up", provider_call_id, "", {"action": "hangup"})
        except Conflict:
            return  # it has ended already

    async def transfer(self, provider_call_id: str, transfer: Transfer) -> None:
        _check_sendable(transfer.keys)
        notes = await self._notes(provider_call_id)
        whisper_url = await self._whispers.keep(transfer)
        ncco = self._writer.transfer(
            transfer, leg=provider_call_id, own_number=notes.own_number, whisper_url=whisper_url
        )
        await self._go_on("transfer", provider_call_id, ncco)

    async def send_keys(self, provider_call_id: str, keys: SendKeys) -> None:
        _check_sendable(keys.keys)
        await self._command("send keys", provider_call_id, "/dtmf", {"digits": keys_of(keys)})

    async def record(self, provider_call_id: str, *, on: bool) -> None:
        """Of the whole conversation, both sides on a channel of their own.

        Source: https://developer.vonage.com/en/api/conversation
        """
        notes = await self._notes(provider_call_id)
        order = {"action": "start" if on else "stop", "event_url": [self._links.event(provider_call_id)]}
        form = {"event_method": "POST", "split": "conversation", "channels": 2, "format": "wav"} if on else {}
        path = f"/v1/conversations/{notes.conversation}/record"
        response = await self._api.ask("record", "PUT", path, region_url=notes.region_url, json=order | form)
        if response.status_code in _ENDED_ALREADY:
            raise Conflict("call_ended", "the call has ended")
        if not response.is_success:
            raise refusal("record", response)

    async def leave_message(self, provider_call_id: str, text: str, *, language: str) -> None:
        await self._go_on("leave a message", provider_call_id, self._writer.leave_message(text, language))

    async def dial(self, dial: Dial) -> str:
        """Vonage knows no idempotency key, so this is tried once only."""
        try:
            response = await self._api.ask("dial", "POST", _CALLS, again=False, json=self._order(dial))
        except NoAnswer as error:
            raise DialUncertain(str(error)) from error
        if response.status_code != _CREATED:
            if response.is_success:
                raise DialUncertain(f"dial: HTTP {response.status_code}")
            raise refusal("dial", response)
        created = document_of(response)
        if not (leg := leg_of(created)):
            raise DialUncertain("dial: the answer names no call")
        await self._legs.note(leg, LegNotes(dial.call_id, str(created.get("conversation_uuid", "")), dial.caller_id))
        return leg

    async def find_dialled(self, dial: Dial) -> str | None:
        """By what the call itself has told us since, or else by its numbers among the newest calls.

        Raises: TelephonyError, also where several can be it.
        """
        if leg := await self._legs.leg_of(dial.call_id):
            return leg
        now = datetime.now(UTC)
        asked = datetime.fromtimestamp(dial.asked_ms / 1000, UTC) if dial.asked_ms else None
        since = now - _LOOK_BACK if asked is None else asked - _CLOCKS_APART
        window = {"date_start": _moment(since), "date_end": _moment(now + timedelta(minutes=1))}
        query = {**window, "order": "desc", "page_size": str(_PAGE)}
        response = await self._api.ask("find a call", "GET", _CALLS, params=query)
        if not response.is_success:
            raise refusal("find a call", response)
        embedded = document_of(response).get("_embedded")
        calls = embedded.get("calls") if isinstance(embedded, dict) else None
        fitting = {leg_of(call): call for call in calls if _is_of(call, dial)} if isinstance(calls, list) else {}
        whose = {leg: (await self._legs.of(leg)).call_id for leg in fitting}
        found = [leg for leg, call_id in whose.items() if call_id == dial.call_id]  # told since we looked
        found = found or [leg for leg, call_id in whose.items() if not call_id]
        if len(found) > 1:
            raise TelephonyError("dial_ambiguous", "several calls can be the one that was dialled", retryable=True)
        for leg in found:
            conversation = str(fitting[leg].get("conversation_uuid", ""))
            await self._legs.note(leg, LegNotes(dial.call_id, conversation, dial.caller_id))
        return found[0] if found else None

    async def state_of(self, provider_call_id: str) -> CallState | None:
        try:
            call = await self._info(provider_call_id, await self._legs.of(provider_call_id))
        except TelephonyError:
            return None
        return PROGRESS.get(str(call.get("status")))

    def _order(self, dial: Dial) -> dict[str, Any]:
        order: dict[str, Any] = {
            "to": [{"type": "phone", "number": dial.to.removeprefix("+")}],
            "from": {"type": "phone", "number": dial.caller_id.removeprefix("+")},
            "answer_url": [self._links.answer(dial.call_id)],
            "answer_method": "POST",
            "event_url": [self._links.event(call_id=dial.call_id)],
            "event_method": "POST",
            "ringing_timer": min(max(dial.ring_s, 1), 120),
            "length_timer": min(max(dial.longest_s, 1), 7200),
        }
        match dial.voicemail:
            case Voicemail.HANG_UP:
                order["advanced_machine_detection"] = {"behavior": "hangup", "mode": "default"}
            case Voicemail.LEAVE_MESSAGE:
                beep = {"mode": "detect_beep", "beep_timeout": _BEEP_TIMEOUT_S}
                order["advanced_machine_detection"] = {"behavior": "continue", **beep}
        return order

    async def _go_on(self, what: str, leg: str, ncco: Ncco) -> None:
        """Leave what the call does now for this."""
        order = {"action": "transfer", "destination": {"type": "ncco", "ncco": ncco}}
        await self._command(what, leg, "", order)

    async def _command(self, what: str, leg: str, door: str, order: dict[str, Any]) -> None:
        """Raises: Conflict for a call that has ended, TelephonyError."""
        notes = await self._legs.of(leg)
        path = f"{_CALLS}/{leg}{door}"
        response = await self._api.ask(what, "PUT", path, region_url=notes.region_url, json=order)
        if response.is_success:
            return
        if response.status_code in _ENDED_ALREADY and await self._has_ended(leg, notes):
            raise Conflict("call_ended", "the call has ended")
        raise refusal(what, response)

    async def _has_ended(self, leg: str, notes: LegNotes) -> bool:
        call = await self._info(leg, notes)
        state = PROGRESS.get(str(call.get("status")))
        return not call or (state is not None and state.is_end)

    async def _notes(self, leg: str) -> LegNotes:
        """Asked of Vonage where nobody noted it, or not any more. Raises: Conflict for a call it does not know."""
        notes = await self._legs.of(leg)
        if notes.own_number and notes.conversation:
            return notes
        call = await self._info(leg, notes)
        if not call:
            raise Conflict("call_ended", "the call has ended")
        ours = call.get("from") if call.get("direction") == "outbound" else call.get("to")
        conversation = str(call.get("conversation_uuid", ""))
        return LegNotes(notes.call_id, conversation, _number(ours), notes.region_url)

    async def _info(self, leg: str, notes: LegNotes) -> dict[str, Any]:
        """Empty for a call that Vonage does not know. Raises: TelephonyError."""
        response = await self._api.ask("look up a call", "GET", f"{_CALLS}/{leg}", region_url=notes.region_url)
        if response.status_code == _NOT_FOUND:
            return {}
        if not response.is_success:
            raise refusal("look up a call", response)
        return document_of(response)


def _check_sendable(keys: str) -> None:
    """Raises: InvalidRequest."""
    if _UNSENDABLE.search(keys):
        raise InvalidRequest("keys_unsendable", "Vonage sends 0-9, * and #, and pauses; not A to D")


def _is_of(call: object, dial: Dial) -> bool:
    """Whether a listed call can be the one that was dialled."""
    if not isinstance(call, dict) or call.get("direction") != "outbound" or not leg_of(call):
        return False
    return (_number(call.get("to")), _number(call.get("from"))) == (dial.to, dial.caller_id)


def _number(endpoint: object) -> str:
    """Of one end of a call, in E.164 with its plus sign."""
    if isinstance(endpoint, dict):
        endpoint = endpoint.get("number")
    return party(endpoint) if isinstance(endpoint, str) else ""


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
