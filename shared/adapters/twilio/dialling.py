"""Outbound calls at Twilio, which has no idempotency key: dialled at most once, and looked for afterwards.

Source: https://www.twilio.com/docs/voice/api/call-resource#create-a-call
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from shared.adapters.twilio.accounts import TwilioAccount
from shared.adapters.twilio.addresses import TwilioAddresses
from shared.adapters.twilio.rest import Form, Outcome, TwilioRest
from shared.domain.errors import TelephonyError
from shared.domain.telephony.commands import Dial, DialUncertain, Voicemail

_NOT_OUR_NUMBER = frozenset({21210, 21212})
"""The caller id belongs to another account: nothing was dialled. Source: https://www.twilio.com/docs/api/errors"""
_EVENTS = ["initiated", "ringing", "answered", "completed"]
_DETECTION = {Voicemail.HANG_UP: "Enable", Voicemail.LEAVE_MESSAGE: "DetectMessageEnd"}
_LOOKED_AT = "50"
_WINDOW_S = 900.0
"""How old a call may be that an attempt of unknown age has begun."""
_CLOCKS_APART_S = 5.0


class TwilioDialling:
    """`now_ms`: Unix epoch."""

    def __init__(self, rest: TwilioRest, addresses: TwilioAddresses, now_ms: Callable[[], float]) -> None:
        self._rest = rest
        self._addresses = addresses
        self._now_ms = now_ms

    async def dial(self, dial: Dial) -> str:
        """Raises: DialUncertain, TelephonyError."""
        return await self.create(self.form_of(dial), "dial", self._accounts(dial))

    async def create(self, form: Form, what: str, accounts: Iterable[TwilioAccount] | None = None) -> str:
        """Ask once, in the account that has the caller's number. Raises: DialUncertain, TelephonyError."""
        outcome = Outcome(0, {}, was_sent=False, trouble="no account is for this")
        for account in self._rest.accounts if accounts is None else accounts:
            outcome = await self._rest.tell(account, "Calls.json", form, again=False)
            if outcome.code not in _NOT_OUR_NUMBER:
                break
        if outcome.is_success and (sid := outcome.text("sid")):
            return sid
        if outcome.is_success or outcome.status >= 500 or (not outcome.status and outcome.was_sent):
            raise DialUncertain(f"{what}: {outcome.trouble or f'HTTP {outcome.status}'}")
        raise outcome.error(what)

    def form_of(self, dial: Dial) -> dict[str, str | list[str]]:
        form: dict[str, str | list[str]] = {
            "To": dial.to,
            "From": dial.caller_id,
            "Url": self._addresses.dialled(dial.call_id),
            "Method": "POST",
            "StatusCallback": self._addresses.status(dial.call_id),
            "StatusCallbackEvent": _EVENTS,
            "Timeout": str(dial.ring_s),
            "TimeLimit": str(dial.longest_s),
        }
        if (detection := _DETECTION.get(dial.voicemail)) is not None:
            form |= {
                "MachineDetection": detection,
                "AsyncAmd": "true",
                "AsyncAmdStatusCallback": self._addresses.machine(dial.call_id),
            }
        return form

    async def find_dialled(self, dial: Dial) -> str | None:
        """The call to this number, by this one, that bears our id in what Twilio asked us; where it has not asked
        yet, the only one that can be it. Raises: TelephonyError, also where several can.
        """
        unknown: list[str] = []
        for account in self._accounts(dial):
            query = {"To": dial.to, "From": dial.caller_id, "PageSize": _LOOKED_AT}
            outcome = await self._rest.ask(account, "Calls.json", query)
            if not outcome.is_success:
                raise outcome.error("find a dialled call")
            for sid in self._candidates(outcome, dial):
                known = await self._call_id_of(account, sid)
                if known == dial.call_id:
                    return sid
                if known is None:
                    unknown.append(sid)
        if len(unknown) > 1:
            raise TelephonyError("dial_ambiguous", "several calls can be the one that was dialled", retryable=True)
        return unknown[0] if unknown else None

    def _accounts(self, dial: Dial) -> list[TwilioAccount]:
        return [account for account in self._rest.accounts if account.serves(dial.tenant_id)]

    def _candidates(self, outcome: Outcome, dial: Dial) -> list[str]:
        listed = outcome.document.get("calls")
        calls = [call for call in listed if isinstance(call, dict)] if isinstance(listed, list) else []
        since_s = dial.asked_ms / 1000 - _CLOCKS_APART_S if dial.asked_ms else self._now_ms() / 1000 - _WINDOW_S
        return [
            call["sid"]
            for call in calls
            if isinstance(call.get("sid"), str)
            and (call.get("to"), call.get("from")) == (dial.to, dial.caller_id)
            and str(call.get("direction")) == "outbound-api"
            and _created_s(call) >= since_s
        ]

    async def _call_id_of(self, account: TwilioAccount, sid: str) -> str | None:
        """Our id in the addresses that Twilio has asked for this call; None where it has asked none, or does not say.

        Source: https://www.twilio.com/docs/voice/api/call-event-resource
        """
        outcome = await self._rest.ask(account, f"Calls/{sid}/Events.json")
        events = outcome.document.get("events") if outcome.is_success else None
        for event in events if isinstance(events, list) else []:
            request = event.get("request") if isinstance(event, dict) else None
            url = request.get("url") if isinstance(request, dict) else None
            if isinstance(url, str) and "call=" in url:
                return url.partition("call=")[2].partition("&")[0]
        return None


def _created_s(call: Mapping[str, Any]) -> float:
    """Unix epoch; 0 where it cannot be read."""
    try:
        return parsedate_to_datetime(str(call.get("date_created"))).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
