"""A call comes in: find who answers it, remember it, start its orchestration, and let its audio in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from shared.domain.call import INBOUND, OUTBOUND, Agent, Call, CallState
from shared.domain.errors import Conflict, NotFound
from shared.domain.steps import CallRequest
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Route
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.orchestrations import Orchestrations
from shared.ports.pipes import Pipes
from shared.use_cases.calls.gateway import Gateway
from shared.use_cases.calls.greeting import write_greeting

_NAMESPACE = uuid.UUID("6f0f9a52-6c0e-5f0b-9d3e-0d6c1a4a7b11")


def call_id_of(provider: Provider, provider_call_id: str) -> str:
    """The same call always gets the same id, however often its webhook comes."""
    return str(uuid.uuid5(_NAMESPACE, f"{provider}:{provider_call_id}"))


@dataclass(frozen=True, slots=True)
class CallOffered:
    """Somebody wants to talk. `callee` is the number that was dialled; a client names its agent instead.

    `tenants`: whose calls alone may come by this account of the provider; None: everybody's.
    """

    provider: Provider
    provider_call_id: str
    caller: str
    callee: str
    tenants: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answers a call, and on which line. `ticket`: a single-use secret for its socket, good for a minute."""

    call_id: str
    agent: Agent
    line: Line
    ticket: str


@dataclass(frozen=True, slots=True)
class AnswerCall:
    directory: Directory
    call_store: CallStore
    live_calls: LiveCalls
    pipes: Pipes
    clock: Clock
    gateway: Gateway | None = None

    async def by_number(self, offer: CallOffered, orchestrations: Orchestrations) -> Answered:
        """Answer a call to a number.

        A webhook that comes again gets a new ticket for the same call. Raises: NotFound for an unknown number,
        Conflict for a call that has ended.
        """
        route = await self.directory.route(offer.provider, offer.callee)
        if route is None or (offer.tenants is not None and route.agent.tenant_id not in offer.tenants):
            raise NotFound("number_unknown", "no agent answers on this number")
        call_id = await self._begin(offer, route, orchestrations)
        if self.gateway is not None:
            await self.gateway.claim(
                offer.provider,
                call_id,
                tenant_id=route.agent.tenant_id,
                caller=offer.caller,
                number=offer.callee,
            )
        return Answered(call_id, route.agent, route.line, await self.live_calls.issue_ticket(call_id))

    async def by_call(
        self, provider: Provider, call_id: str, provider_call_id: str, orchestrations: Orchestrations
    ) -> Answered:
        """Somebody answers a call that we placed: the conversation begins, with the agent of that call.

        An answer that is told again gets a new ticket. Raises: NotFound for a call that we did not place with this
        provider, Conflict for one that has ended, or that the provider knows by another id.
        """
        call = await self.call_store.of_id(call_id)
        if call is None or call.direction != OUTBOUND or call.provider is not provider:
            raise NotFound("call_unknown", "we have not placed this call")
        if call.state.is_end:
            raise Conflict("call_ended", "this call has ended already")
        if not await self.call_store.name(call.tenant_id, call_id, provider_call_id):
            raise Conflict("call_mixed_up", "the provider knows this call by another id")
        agent = await self.directory.agent(call.tenant_id, call.agent_id, call.agent_version)
        if agent is None:
            raise NotFound("agent_unknown", "the agent of this call is gone")
        await self.call_store.advance(call.tenant_id, call_id, CallState.IN_PROGRESS, at=self.clock.now())
        await self._start(replace(call, provider_call_id=provider_call_id), agent, orchestrations)
        return Answered(call_id, agent, call.line, await self.live_calls.issue_ticket(call_id))

    async def by_client(
        self, tenant_id: str, agent_id: str | None, subject: str, orchestrations: Orchestrations
    ) -> str:
        """Begin a call from a browser or app whose user is `subject`; gives its call id. Raises: NotFound."""
        agent = await self.directory.agent(tenant_id, agent_id)
        if agent is None:
            raise NotFound("agent_unknown", "there is no such agent")
        offer = CallOffered(Provider.WEB, str(uuid.uuid4()), caller=subject, callee=agent.agent_id)
        return await self._begin(offer, Route(agent, Line.WEB), orchestrations)

    async def _begin(self, offer: CallOffered, route: Route, orchestrations: Orchestrations) -> str:
        agent = route.agent
        call_id = call_id_of(offer.provider, offer.provider_call_id)
        call = Call(
            call_id=call_id,
            tenant_id=agent.tenant_id,
            agent_id=agent.agent_id,
            agent_version=agent.version,
            provider=offer.provider,
            provider_call_id=offer.provider_call_id,
            line=route.line,
            direction=INBOUND,
            caller=offer.caller,
            callee=offer.callee,
            state=CallState.RINGING,
            started_at=self.clock.now(),
            language=agent.language,
        )
        if not await self.call_store.create(call):
            known = await self.call_store.get(agent.tenant_id, call_id)
            if known is None or known.state.is_end:
                raise Conflict("call_ended", "this call has ended already")
        await self._start(call, agent, orchestrations)
        return call_id

    async def _start(self, call: Call, agent: Agent, orchestrations: Orchestrations) -> None:
        live = LiveCall(
            call.call_id,
            call.tenant_id,
            call.agent_id,
            call.provider,
            call.provider_call_id,
            call.line,
            agent_version=call.agent_version,
        )
        await self.live_calls.open(live)
        if agent.manner.delegate is None or call.line.carries_text:  # else it may be the delegate's to say
            await self._prepare_greeting(call.call_id, agent)
        await orchestrations.start_call(CallRequest(call.tenant_id, call.call_id))

    async def _prepare_greeting(self, call_id: str, agent: Agent) -> None:
        await write_greeting(self.pipes, call_id, agent.greeting)
