"""The part of composition for what agents do besides talking: their tools, and what comes of them later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property

from shared.adapters.http_tools.sending import Sending
from shared.adapters.http_tools.source import HttpTools
from shared.adapters.mcp.source import McpTools
from shared.adapters.postgres.callbacks import PostgresCallbacks
from shared.adapters.postgres.earlier_calls import PostgresEarlierCalls
from shared.adapters.postgres.messages_taken import PostgresMessagesTaken
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.tool_calls import PostgresToolCalls
from shared.domain.call import EndReason
from shared.domain.telephony.commands import Transfer
from shared.domain.tools.signing import secrets_by_tenant
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.numbers import Numbers
from shared.ports.outbound_calls import OutboundCalls
from shared.ports.short_memory import ShortMemory
from shared.ports.short_messages import ShortMessages
from shared.ports.web_requests import WebRequests
from shared.settings import Settings
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.calls.place_call import PlaceCall
from shared.use_cases.tools.built_in_tools import BuiltInTools
from shared.use_cases.tools.confirmations import Confirmations
from shared.use_cases.tools.joined_tools import JoinedTools
from shared.use_cases.tools.place_callbacks import PlaceCallbacks


@dataclass(frozen=True)
class Tooling:
    """Each part is made when it is first used. `transfer`: see `CommandCall`."""

    settings: Settings
    pool: PostgresPool
    web: WebRequests
    memory: ShortMemory
    call_store: CallStore
    numbers: Numbers
    outbound_calls: OutboundCalls
    short_messages: ShortMessages | None
    transfer: Callable[[str, str, Transfer], Awaitable[None]]
    end_call: EndCall
    place_call: Callable[[], PlaceCall]
    clock: Clock

    @cached_property
    def tool_box(self) -> JoinedTools:
        secrets = secrets_by_tenant(self.settings.tool_secrets)
        sources = (
            self._built_in,
            HttpTools(Sending(self.web, secrets, self.clock)),
            McpTools(self.web, secrets, self.clock),
        )
        return JoinedTools(sources, self.ledger, Confirmations(self.memory))

    @cached_property
    def ledger(self) -> PostgresToolCalls:
        return PostgresToolCalls(self.pool)

    @cached_property
    def messages(self) -> PostgresMessagesTaken:
        return PostgresMessagesTaken(self.pool)

    @cached_property
    def callbacks(self) -> PostgresCallbacks:
        return PostgresCallbacks(self.pool)

    @cached_property
    def place_callbacks(self) -> PlaceCallbacks:
        return PlaceCallbacks(self.callbacks, self.place_call(), self.clock)

    @cached_property
    def _built_in(self) -> BuiltInTools:
        return BuiltInTools(
            call_store=self.call_store,
            numbers=self.numbers,
            outbound_calls=self.outbound_calls,
            callbacks=self.callbacks,
            messages=self.messages,
            earlier_calls=PostgresEarlierCalls(self.pool),
            short_messages=self.short_messages,
            transfer=self.transfer,
            hang_up=self._hang_up,
            clock=self.clock,
        )

    async def _hang_up(self, tenant_id: str, call_id: str) -> None:
        """Whatever call it is of: the record says whose."""
        call = await self.call_store.of_id(call_id)
        if call is not None and call.tenant_id == tenant_id and not call.state.is_end:
            await self.end_call.at_once(call, EndReason.AGENT_HUNG_UP)
