"""What a provider can be told to do with a call by its API, outside the answers to its webhooks."""

from __future__ import annotations

from typing import Protocol

from shared.domain.call import CallState
from shared.domain.telephony.commands import Dial, SendKeys, Transfer
from shared.domain.telephony.lines import Capability


class CallControl(Protocol):
    """Raises from every method: TelephonyError; Unsupported, before anything is done, for what is not in
    `capabilities`. Whether the call's line can do it at all is asked before
    (`shared.domain.telephony.lines.require`).
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this API does at once. What a line can do besides is told in the next answer to its provider."""
        ...

    async def hang_up(self, provider_call_id: str) -> None:
        """End the call; one that has ended already is no error. Needs HANG_UP."""
        ...

    async def transfer(self, provider_call_id: str, transfer: Transfer) -> None:
        """Put the caller through. Needs COLD_TRANSFER or WARM_TRANSFER.

        Raises: Conflict for a call that has ended.
        """
        ...

    async def send_keys(self, provider_call_id: str, keys: SendKeys) -> None:
        """Needs KEYS_OUT. Raises: Conflict for a call that has ended."""
        ...

    async def record(self, provider_call_id: str, *, on: bool) -> None:
        """Begin or stop the provider's own recording; asking again changes nothing. Needs RECORDING.

        Raises: Conflict for a call that has ended.
        """
        ...

    async def leave_message(self, provider_call_id: str, text: str, *, language: str) -> None:
        """Have the provider speak this to the machine that answered, then hang up. Needs VOICEMAIL_DETECTION."""
        ...

    async def dial(self, dial: Dial) -> str:
        """Begin an outbound call; gives the provider's id of it. Needs OUTBOUND.

        Our address that the provider asks when somebody answers, and tells what becomes of the call, bears
        `dial.call_id`. Raises: DialUncertain where the request may have been carried out; TelephonyError where it
        certainly was not.
        """
        ...

    async def find_dialled(self, dial: Dial) -> str | None:
        """The provider's id of the call that an earlier `dial` of this attempt began; None if it began none.

        Needs OUTBOUND.
        """
        ...

    async def state_of(self, provider_call_id: str) -> CallState | None:
        """How far the call has come, by the provider; None where it does not know the call, or cannot be asked."""
        ...
