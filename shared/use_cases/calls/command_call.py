"""What an operator, or a rule of the agent, has done with a running call: put it through, send keys, record it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from shared.domain.call import EndReason
from shared.domain.errors import Conflict, InvalidRequest, NotFound, VoiceAgentError
from shared.domain.manner import HandOver
from shared.domain.telephony.commands import SendKeys, Transfer, TransferKind
from shared.domain.telephony.lines import CAPABILITIES, Capability, Provider, require
from shared.domain.telephony.planning import capability_for
from shared.ports.call_control import CallControl
from shared.ports.call_store import CallStore
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.text_channel import TextChannels
from shared.use_cases.calls.allow_transfer import AllowTransfer
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.calls.fetch_recording import FetchRecording

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CommandCall:
    """`order` leaves a transfer for a line that is told what to do in the answer to its next request only.

    Each command raises: NotFound, Conflict for a call that does not run, Unsupported, TelephonyError.
    """

    call_store: CallStore
    live_calls: LiveCalls
    directory: Directory
    controls: Mapping[Provider, CallControl]
    end_call: EndCall
    order: Callable[[str, Transfer], Awaitable[None]]
    allow_transfer: AllowTransfer
    channels: TextChannels
    recordings: FetchRecording | None = None

    async def transfer(self, tenant_id: str, call_id: str, transfer: Transfer) -> None:
        """Our part ends with it, and the caller's line stays; in a warm transfer only once the other end is there
        (`shared.domain.telephony.events.TransferEnded`), for the caller may come back.

        Raises besides: Forbidden for whom and when the tenant's outbound policy does not allow, Conflict for how many
        and how much.
        """
        live = await self._running(tenant_id, call_id)
        if live.leaving:
            raise _leaving()
        capability = capability_for(live.line, transfer)
        control = self.controls.get(live.provider)
        is_at_once = control is not None and capability in control.capabilities
        if not is_at_once and not CAPABILITIES[live.line] & {Capability.TEXT_TURNS, Capability.TEXT_STREAM}:
            raise _not_set_up(live.provider)
        if not await self.live_calls.leave(call_id, EndReason.TRANSFERRED):
            raise await self._taken(call_id)
        try:
            transfer = await self.allow_transfer(live, await self._in_words(live, transfer))
        except VoiceAgentError:
            await self.live_calls.leave(call_id, "")
            raise
        try:
            if control is not None and is_at_once:
                await control.transfer(live.provider_call_id, transfer)
            else:
                await self.order(call_id, transfer)
        except VoiceAgentError:
            await self.live_calls.leave(call_id, "")
            await self.allow_transfer.over(tenant_id, call_id)
            raise
        if is_at_once and transfer.kind is TransferKind.COLD:
            await self.end_call.note(call_id, EndReason.TRANSFERRED)

    async def send_keys(self, tenant_id: str, call_id: str, keys: SendKeys) -> None:
        """Over the socket of words where the call has one, which thus stays open."""
        live = await self._running(tenant_id, call_id)
        if Capability.TEXT_STREAM in CAPABILITIES[live.line]:
            require(live.line, Capability.KEYS_OUT)
            if not live.connection_id:
                raise Conflict("call_not_connected", "the call has no socket at this moment")
            await self.channels.open_text(live).send_keys(keys.keys)
            return
        control = self._control(live, Capability.KEYS_OUT)
        await control.send_keys(live.provider_call_id, keys)

    async def record(self, tenant_id: str, call_id: str, *, on: bool) -> None:
        """Whoever asks for it has the caller's consent."""
        live = await self._running(tenant_id, call_id)
        control = self._control(live, Capability.RECORDING)
        await control.record(live.provider_call_id, on=on)
        call = await self.call_store.get(tenant_id, call_id)
        if on and self.recordings is not None and call is not None:
            await self.recordings.begun(call)

    async def hand_over(self, call_id: str, rule: HandOver) -> None:
        """The caller has pressed the agent's key for a person. Where that cannot be done, the agent goes on."""
        live = await self.live_calls.get(call_id)
        if live is None:
            return
        try:
            await self.transfer(live.tenant_id, call_id, Transfer(rule.to, rule.kind))
        except VoiceAgentError as error:
            logger.warning("call %s is not handed over: %s", call_id, error)

    async def _taken(self, call_id: str) -> Conflict:
        """Why the call could not be left: somebody else was quicker."""
        live = await self.live_calls.get(call_id)
        return _leaving() if live is not None and live.leaving and not live.end_reason else _not_running()

    async def _in_words(self, live: LiveCall, transfer: Transfer) -> Transfer:
        """The whisper is in the agent's language where nobody says otherwise."""
        if transfer.language or not transfer.whisper:
            return transfer
        agent = await self.directory.agent(live.tenant_id, live.agent_id, live.agent_version)
        return replace(transfer, language=agent.language) if agent is not None else transfer

    async def _running(self, tenant_id: str, call_id: str) -> LiveCall:
        live = await self.live_calls.get(call_id)
        if live is None or live.tenant_id != tenant_id:
            if await self.call_store.get(tenant_id, call_id) is None:
                raise NotFound("call_unknown", "there is no such call")
            raise _not_running()
        if live.end_reason:
            raise _not_running()
        return live

    def _control(self, live: LiveCall, capability: Capability) -> CallControl:
        require(live.line, capability)
        control = self.controls.get(live.provider)
        if control is None or capability not in control.capabilities:
            raise _not_set_up(live.provider)
        return control


def _leaving() -> Conflict:
    return Conflict("call_leaving", "the call is being put through already")


def _not_running() -> Conflict:
    return Conflict("call_not_running", "the call has not begun, or has ended")


def _not_set_up(provider: Provider) -> InvalidRequest:
    return InvalidRequest("provider_not_set_up", f"{provider} cannot be told this here")
