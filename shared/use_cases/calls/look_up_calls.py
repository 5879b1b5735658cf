"""What an operator sees of calls: the lasting record, and of running calls what their journals say now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.after_call.hidden_turns import redacted_turns
from shared.domain.call import Agent, Call, CallState
from shared.domain.errors import NotFound
from shared.domain.telephony.lines import Provider
from shared.ports.call_store import CallStore
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCalls
from shared.use_cases.calls.keep_records import turn_of

_TURNS_AHEAD = 4


@dataclass(frozen=True, slots=True)
class LookUpCalls:
    call_store: CallStore
    live_calls: LiveCalls
    directory: Directory | None = None

    async def one(self, tenant_id: str, call_id: str) -> Call:
        """Without personal data, where its agent redacts. Raises: NotFound, also for a call of another tenant."""
        call = await self._whole(tenant_id, call_id)
        agent = await self._agent(call)
        if agent is not None and not agent.after_call.redacts:
            return call
        return replace(call, turns=redacted_turns(call.turns, greeting=agent.greeting if agent else ""))

    async def _agent(self, call: Call) -> Agent | None:
        """Where nobody says whether its words are to be hidden, they are."""
        if self.directory is None:
            return None
        return await self.directory.agent(call.tenant_id, call.agent_id, call.agent_version)

    async def _whole(self, tenant_id: str, call_id: str) -> Call:
        call = await self.call_store.get(tenant_id, call_id)
        if call is None:
            raise NotFound("call_unknown", "there is no such call")
        if call.state.is_end:
            return call
        saved = {turn.number: turn for turn in call.turns}
        ahead = range(max(saved, default=0) + _TURNS_AHEAD)
        running = await self.live_calls.journals(call_id, ahead)
        for number, journal in zip(ahead, running, strict=True):
            turn = turn_of(number, journal)
            if turn is not None:
                saved[number] = turn
        return replace(call, turns=tuple(saved[number] for number in sorted(saved)))

    async def is_among(
        self, tenants: Collection[str], provider: Provider, *, provider_call_ids: Iterable[str], call_id: str
    ) -> bool:
        """Whether none of these calls, by the provider's ids and ours, is another tenant's. Raises: StoreError."""
        found = [await self.call_store.of_provider(provider, known) for known in provider_call_ids if known]
        if call_id:
            found.append(await self.call_store.of_id(call_id))
        return all(call is None or call.tenant_id in tenants for call in found)

    async def many(
        self,
        tenant_id: str,
        *,
        provider_call_id: str | None,
        state: CallState | None,
        before: datetime | None,
        limit: int,
    ) -> list[Call]:
        return await self.call_store.find(
            tenant_id, provider_call_id=provider_call_id, state=state, before=before, limit=limit
        )
