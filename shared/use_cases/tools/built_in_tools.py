"""What the house itself can do for a caller: put through, hang up, write, call back, look up, take a message.

Whom it is done for is known from the call's own record. A model names neither numbers nor callers.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.domain.agents.document import Agent
from shared.domain.agents.tools import BuiltIn, BuiltInTool
from shared.domain.call import OUTBOUND, Call
from shared.domain.errors import Conflict, Forbidden, InvalidRequest, NotFound, StoreError, ToolError, VoiceAgentError
from shared.domain.telephony.commands import Transfer, TransferKind, is_e164
from shared.domain.telephony.lines import CAPABILITIES, Capability, Provider
from shared.domain.tools import built_in
from shared.domain.tools.outcomes import OutcomeUnknown, not_asked, refused
from shared.ports.call_store import CallStore
from shared.ports.callbacks import Callback, Callbacks
from shared.ports.clock import Clock
from shared.ports.earlier_calls import EarlierCalls
from shared.ports.messages_taken import MessagesTaken, MessageTaken
from shared.ports.numbers import Numbers
from shared.ports.outbound_calls import OutboundCalls
from shared.ports.short_messages import ShortMessages
from shared.ports.tool_box import Tool, ToolRequest, ToolResult

logger = logging.getLogger(__name__)

_LOOKED_BACK = timedelta(days=90)
_MOST_CALLBACKS = 3
_NO_NUMBER = "the caller's number is not known on this line"


@dataclass(frozen=True, slots=True)
class BuiltInTools:
    """Fills the port `ToolSource`. `transfer` and `hang_up` take the tenant and the call."""

    call_store: CallStore
    numbers: Numbers
    outbound_calls: OutboundCalls
    callbacks: Callbacks
    messages: MessagesTaken
    earlier_calls: EarlierCalls
    short_messages: ShortMessages | None
    transfer: Callable[[str, str, Transfer], Awaitable[None]]
    hang_up: Callable[[str, str], Awaitable[None]]
    clock: Clock

    async def tools(self, agent: Agent) -> Sequence[Tool]:
        offered = [tool for tool in agent.tools.built_in if self._can(tool)]
        return [_tool(tool) for tool in offered]

    async def call(self, agent: Agent, tool: Tool, request: ToolRequest) -> ToolResult:
        declared = next(each for each in agent.tools.built_in if each.name == tool.name)
        deeds = {
            BuiltIn.TRANSFER: self._transfer,
            BuiltIn.HANG_UP: self._hang_up,
            BuiltIn.SEND_SMS: self._send_sms,
            BuiltIn.SCHEDULE_CALLBACK: self._schedule_callback,
            BuiltIn.LOOK_UP_CALLER: self._look_up_caller,
            BuiltIn.TAKE_MESSAGE: self._take_message,
        }
        try:
            return ToolResult(await deeds[declared.name](agent, declared, request))
        except ToolError:
            raise
        except StoreError as error:
            if error.retryable and declared.name in (BuiltIn.TRANSFER, BuiltIn.HANG_UP):
                raise OutcomeUnknown(error.message) from error
            raise not_asked(error.message) from error
        except (InvalidRequest, NotFound, Conflict, Forbidden) as error:
            raise refused(error.message) from error
        except VoiceAgentError as error:  # a provider that failed: perhaps after it had begun
            raise OutcomeUnknown(error.message) from error

    def _can(self, tool: BuiltInTool) -> bool:
        return tool.name is not BuiltIn.SEND_SMS or self.short_messages is not None

    async def _transfer(self, agent: Agent, tool: BuiltInTool, request: ToolRequest) -> Any:
        """Only to what the document declares, whatever the model calls it. The reason is told to nobody: it is the
        model's, and a whisper would say it to a person as ours. Lines that know no warm transfer make a cold one.
        """
        number = tool.destinations.get(str(request.arguments["destination"]))
        if number is None:
            raise refused(f"there is no such destination; there are: {', '.join(tool.destinations)}")
        transfer = Transfer(number)
        if tool.kind is TransferKind.WARM:
            call = await self.call_store.of_id(request.call_id)
            if call is not None and Capability.WARM_TRANSFER in CAPABILITIES[call.line]:
                transfer = Transfer(number, tool.kind, tool.whisper)
        await self.transfer(request.tenant_id, request.call_id, transfer)
        return {"done": True}

    async def _hang_up(self, agent: Agent, tool: BuiltInTool, request: ToolRequest) -> Any:
        await self.hang_up(request.tenant_id, request.call_id)
        return {"done": True}

    async def _send_sms(self, agent: Agent, tool: BuiltInTool, request: ToolRequest) -> Any:
        """To the caller alone, from the number that was called where that one can."""
        party = await self._party(request)
        ours = [each.number for each in await self.numbers.all(request.tenant_id) if _can_write(each.line.provider)]
        if self.short_messages is None or not ours:
            raise refused("no number of ours can send text messages")
        sender = party.ours if party.ours in ours else ours[0]
        text = str(request.arguments["text"]).strip()
        await self.short_messages.send(request.tenant_id, sender=sender, to=party.theirs, text=text)
        return {"sent": True}

    async def _schedule_callback(self, agent: Agent, tool: BuiltInTool, request: ToolRequest) -> Any:
        """Nothing is promised that the tenant may not dial at all."""
        party = await self._party(request)
        now = self.clock.now()
        policy = await self.outbound_calls.policy(request.tenant_id)
        due_at = built_in.due_at(request.arguments, now, policy.time_zone)
        policy.allow(party.theirs, due_at, built_in.NO_USAGE)
        ours = [each.number for each in await self.numbers.all(request.tenant_id)]
        if party.ours not in ours:
            raise refused("nobody can be called back from this line")
        callback = Callback(
            callback_id=built_in.identifier(request.key),
            tenant_id=request.tenant_id,
            agent_id=agent.agent_id,
            promised_in=request.call_id,
            to=party.theirs,
            caller_id=party.ours,
            due_at=due_at,
            reason=str(request.arguments.get("reason", "")),
        )
        if not await self.callbacks.add(callback, most=_MOST_CALLBACKS):
            raise refused("enough calls back to this caller are planned already")
        return {"planned_for": built_in.local(due_at, policy.time_zone), "time_zone": policy.time_zone}

    async def _look_up_caller(self, agent: Agent, tool: BuiltInTool, request: ToolRequest) -> Any:
        party = await self._party(request)
        since = self.clock.now() - _LOOKED_BACK
        found = await self.earlier_calls.of(request.tenant_id, party.theirs, since=since, but=request.call_id)
        calls = [
            {"on": call.started_at.date().isoformat(), "ended": call.end_reason, "outcome": call.outcome}
            | ({"summary": call.summary} if call.summary else {})
            for call in found
        ]
        return {"earlier_calls": calls}

    async def _take_message(self, agent: Agent, tool: BuiltInTool, request: ToolRequest) -> Any:
        given: Mapping[str, Any] = request.arguments
        message = MessageTaken(
            message_id=built_in.identifier(request.key),
            tenant_id=request.tenant_id,
            call_id=request.call_id,
            agent_id=agent.agent_id,
            caller=request.caller,
            text=str(given["message"]).strip(),
            taken_at=self.clock.now(),
            name=str(given.get("name", "")),
            number=str(given.get("number", "")),
            is_urgent=given.get("urgent") is True,
        )
        await self.messages.add(message)
        return {"taken": True}

    async def _party(self, request: ToolRequest) -> _Party:
        """Raises: ToolError where there is no number to speak of."""
        call = await self.call_store.of_id(request.call_id)
        party = _party_of(call) if call is not None and call.tenant_id == request.tenant_id else None
        if party is None or not is_e164(party.theirs):
            raise refused(_NO_NUMBER)
        return party


@dataclass(frozen=True, slots=True)
class _Party:
    """The other end's number and ours."""

    theirs: str
    ours: str


def _party_of(call: Call) -> _Party:
    return _Party(call.callee, call.caller) if call.direction == OUTBOUND else _Party(call.caller, call.callee)


def _can_write(provider: Provider) -> bool:
    return provider is Provider.TWILIO


def _tool(tool: BuiltInTool) -> Tool:
    form = built_in.FORMS[tool.name]
    parameters = built_in.transfer_parameters(tool.destinations) if tool.name is BuiltIn.TRANSFER else form.parameters
    return Tool(
        name=tool.name,
        description=tool.description or form.description,
        parameters=parameters,
        effect=form.effect,
        idempotent=form.idempotent,
        deadline_s=form.deadline_s,
    )
