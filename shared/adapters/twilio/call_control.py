"""What Twilio can be told to do with a call. Source: https://www.twilio.com/docs/voice/api/call-resource"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Final

from shared.adapters.twilio.accounts import TwilioAccount
from shared.adapters.twilio.addresses import MACHINE, TOLD, TwilioAddresses
from shared.adapters.twilio.dialling import TwilioDialling
from shared.adapters.twilio.events import PROGRESS
from shared.adapters.twilio.form_values import shown_instead
from shared.adapters.twilio.rest import Form, Outcome, TwilioRest
from shared.adapters.twilio.twiml import Speech, TwilioDocuments
from shared.domain.call import CallState
from shared.domain.errors import Conflict, TelephonyError, VoiceAgentError
from shared.domain.telephony.commands import Dial, DialUncertain, SendKeys, Transfer, TransferKind
from shared.domain.telephony.lines import Capability

logger = logging.getLogger(__name__)

_NOT_IN_PROGRESS = 21220
"""Source: https://www.twilio.com/docs/api/errors/21220"""
_RECORDING_RUNS = frozenset({"in-progress", "paused"})
_CURRENT = "Twilio.CURRENT"
"""The recording that runs now. Source: https://www.twilio.com/docs/voice/api/recording"""
CAPABILITIES: Final = frozenset(
    {
        Capability.HANG_UP,
        Capability.COLD_TRANSFER,
        Capability.WARM_TRANSFER,
        Capability.KEYS_OUT,
        Capability.RECORDING,
        Capability.OUTBOUND,
        Capability.VOICEMAIL_DETECTION,
    }
)


class TwilioCallControl:
    """Fills the port `CallControl`. `errand`: within it the end of a call's socket is no end of the call, which will
    be handed back to us by another one (`TwilioAddresses.resume`).
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        rest: TwilioRest,
        addresses: TwilioAddresses,
        *,
        now_ms: Callable[[], float],
        errand: Callable[[str], AbstractAsyncContextManager[None]],
    ) -> None:
        self._rest = rest
        self._addresses = addresses
        self._documents = TwilioDocuments(addresses)
        self._dialling = TwilioDialling(rest, addresses, now_ms)
        self._errand = errand

    async def hang_up(self, provider_call_id: str) -> None:
        await self._update(provider_call_id, {"Status": "completed"}, "hang up")

    async def transfer(self, provider_call_id: str, transfer: Transfer) -> None:
        """Cold: the caller is dialled through. Warm: the person is called first, and hears the whisper; until then
        the caller stays with the agent, and then both meet in a conference (`put_through`).
        """
        if transfer.kind is TransferKind.WARM:
            await self._call_person(provider_call_id, transfer)
        else:
            document = self._documents.cold_transfer(transfer, caller_id=await self._shown_instead(provider_call_id))
            await self._redirect(provider_call_id, document, "transfer")

    async def put_through(self, caller_sid: str, account_sid: str) -> None:
        """The person, whose line is in this account, has heard the whisper: take the caller there.

        Raises: Conflict for a caller who has gone, or is in another account; TelephonyError.
        """
        account = self._rest.accounts.find(account_sid)
        room = {"Twiml": self._documents.room(caller_sid, is_caller=True)}
        accounts = () if account is None else (account,)
        if not await self._update(caller_sid, room, "put through", again=True, accounts=accounts):
            raise _ended()

    async def send_keys(self, provider_call_id: str, keys: SendKeys) -> None:
        async with self._errand(provider_call_id):
            await self._redirect(provider_call_id, self._documents.keys(keys), "send keys", again=False)

    async def leave_message(self, provider_call_id: str, text: str, *, language: str) -> None:
        await self._redirect(provider_call_id, self._documents.message(text, Speech(language)), "leave a message")

    async def record(self, provider_call_id: str, *, on: bool) -> None:
        account, call = await self._find(provider_call_id)
        if call.text("status") != "in-progress":
            raise _ended()
        recordings = f"Calls/{provider_call_id}/Recordings"
        known = (await self._rest.ask(account, f"{recordings}.json")).document.get("recordings")
        states = (
            {entry.get("status") for entry in known if isinstance(entry, dict)} if isinstance(known, list) else set()
        )
        if on == bool(states & _RECORDING_RUNS):
            return
        if on:
            form: Form = {
                "RecordingChannels": "dual",
                "RecordingStatusCallback": self._addresses.recording(),
                "RecordingStatusCallbackEvent": ["completed", "absent"],
            }
            outcome = await self._rest.tell(account, f"{recordings}.json", form, again=False)
        else:
            outcome = await self._rest.tell(
                account, f"{recordings}/{_CURRENT}.json", {"Status": "stopped"}, again=True
            )
        if not outcome.is_success:
            raise _ended() if _is_over(outcome) else outcome.error("record")

    async def dial(self, dial: Dial) -> str:
        return await self._dialling.dial(dial)

    async def find_dialled(self, dial: Dial) -> str | None:
        return await self._dialling.find_dialled(dial)

    async def state_of(self, provider_call_id: str) -> CallState | None:
        try:
            _, call = await self._find(provider_call_id)
        except VoiceAgentError as error:
            logger.info("the state of a call is not known: %s", error)
            return None
        return PROGRESS.get(call.text("status"))

    async def _shown_instead(self, caller_sid: str) -> str:
        """Our number, where the caller's own cannot be shown; "" where it can, or nobody tells."""
        try:
            _, call = await self._find(caller_sid)
        except VoiceAgentError as error:
            logger.info("who is put through is not known: %s", error)
            return ""
        return shown_instead(call.text("from"), call.text("to"))

    async def _call_person(self, caller_sid: str, transfer: Transfer) -> None:
        """The person is shown the number of ours at which the caller is."""
        _, call = await self._find(caller_sid)
        if call.text("status") != "in-progress":
            raise _ended()
        form: dict[str, str | list[str]] = {
            "To": transfer.to,
            "From": call.text("to" if call.text("direction") == "inbound" else "from"),
            "Twiml": self._documents.whisper(caller_sid, transfer.whisper, Speech(transfer.language)),
            "Timeout": str(transfer.ring_s),
            "StatusCallback": self._addresses.person(caller_sid, TOLD),
            "StatusCallbackEvent": ["completed"],
            "MachineDetection": "Enable",
            "AsyncAmd": "true",
            "AsyncAmdStatusCallback": self._addresses.person(caller_sid, MACHINE),
        }
        if transfer.longest_s:
            form["TimeLimit"] = str(transfer.longest_s)
        if transfer.keys:
            form["SendDigits"] = transfer.keys
        try:
            await self._dialling.create(form, "transfer")
        except DialUncertain as uncertain:
            raise TelephonyError("transfer_uncertain", f"the person may or may not be called: {uncertain}") from None

    async def _redirect(self, sid: str, twiml: str, what: str, *, again: bool = True) -> None:
        """`again`: whether to ask twice where the first answer is lost; what is dialled or said begins anew then.

        Raises: Conflict for a call that is over, TelephonyError.
        """
        if not await self._update(sid, {"Twiml": twiml}, what, again=again):
            raise _ended()

    async def _update(
        self, sid: str, form: Form, what: str, *, again: bool = True, accounts: Iterable[TwilioAccount] | None = None
    ) -> bool:
        """False for a call that is over, or that none of our accounts knows: which of them has it is not seen from
        its id, so the account itself is asked first, then its subaccounts. Raises: TelephonyError.
        """
        for account in self._rest.accounts if accounts is None else accounts:
            outcome = await self._rest.tell(account, f"Calls/{sid}.json", form, again=again)
            if outcome.is_success:
                return True
            if not _is_over(outcome):
                raise outcome.error(what)
            if not outcome.is_missing:
                return False
        return False

    async def _find(self, sid: str) -> tuple[TwilioAccount, Outcome]:
        """Raises: Conflict, TelephonyError."""
        for account in self._rest.accounts:
            outcome = await self._rest.ask(account, f"Calls/{sid}.json")
            if outcome.is_success:
                return account, outcome
            if not outcome.is_missing:
                raise outcome.error("look up a call")
        raise _ended()


def _is_over(outcome: Outcome) -> bool:
    return outcome.is_missing or outcome.code == _NOT_IN_PROGRESS


def _ended() -> Conflict:
    return Conflict("call_ended", "the call has ended already")
