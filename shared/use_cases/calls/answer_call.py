"""A call comes in: find who answers it, remember it, start its orchestration, and let its audio in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from shared.domain import pipe_names, takes
from shared.domain.call import Agent, Call, CallState, Provider
from shared.domain.errors import Conflict, NotFound
from shared.domain.steps import CallRequest
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.orchestrations import Orchestrations
from shared.ports.pipes import Pipes

_NAMESPACE = uuid.UUID("6f0f9a52-6c0e-5f0b-9d3e-0d6c1a4a7b11")


def call_id_of(provider: Provider, provider_call_id: str) -> str:
    """The same call always gets the same id, however often its webhook comes."""
    return str(uuid.uuid5(_NAMESPACE, f"{provider}:{provider_call_id}"))


@dataclass(frozen=True, slots=True)
class CallOffered:
    """Somebody wants to talk. `callee` is the number that was dialled; a client names its agent instead."""

    provider: Provider
    provider_call_id: str
    caller: str
    callee: str


@dataclass(frozen=True, slots=True)
class AnswerCall:
    directory: Directory
    call_store: CallStore
    live_calls: LiveCalls
    pipes: Pipes
    clock: Clock

    async def by_number(self, offer: CallOffered, orchestrations: Orchestrations) -> str:
        """Answer a call to a number; gives a ticket for its media socket.

        A webhook that comes again gets a new ticket for the same call. Raises: NotFound for an unknown number,
        Conflict for a call that has ended.
        """
        agent = await self.directory.agent_on_number(offer.callee)
        if agent is None:
            raise NotFound("number_unknown", "no agent answers on this number")
        call_id = await self._begin(offer, agent, orchestrations)
        return await self.live_calls.issue_ticket(call_id)

    async def by_client(
        self, tenant_id: str, agent_id: str | None, subject: str, orchestrations: Orchestrations
    ) -> str:
        """Begin a call from a browser or app whose user is `subject`; gives its call id. Raises: NotFound."""
        agent = await self.directory.agent(tenant_id, agent_id)
        if agent is None:
            raise NotFound("agent_unknown", "there is no such agent")
        offer = CallOffered(Provider.WEB, str(uuid.uuid4()), caller=subject, callee=agent.agent_id)
        return await self._begin(offer, agent, orchestrations)

    async def _begin(self, offer: CallOffered, agent: Agent, orchestrations: Orchestrations) -> str:
        call_id = call_id_of(offer.provider, offer.provider_call_id)
        call = Call(
            call_id=call_id,
            tenant_id=agent.tenant_id,
            agent_id=agent.agent_id,
            provider=offer.provider,
            provider_call_id=offer.provider_call_id,
            direction="inbound",
            caller=offer.caller,
            callee=offer.callee,
            state=CallState.RINGING,
            started_at=self.clock.now(),
        )
        if not await self.call_store.create(call):
            known = await self.call_store.get(agent.tenant_id, call_id)
            if known is None or known.state in (CallState.COMPLETED, CallState.FAILED):
                raise Conflict("call_ended", "this call has ended already")
        await self.live_calls.open(
            LiveCall(call_id, agent.tenant_id, agent.agent_id, offer.provider, offer.provider_call_id)
        )
        await self._prepare_greeting(call_id, agent)
        await orchestrations.start_call(CallRequest(agent.tenant_id, call_id))
        return call_id

    async def _prepare_greeting(self, call_id: str, agent: Agent) -> None:
        """The greeting is turn 0's answer; it needs no hearing and no thinking."""
        sentences = pipe_names.turn(call_id, 0, pipe_names.SENTENCES)
        if agent.greeting:
            await self.pipes.append(sentences, {"text": agent.greeting}, position=takes.sentence_position(1, 1))
        answer_end = {"event": "answer_end", "outcome": ""}
        await self.pipes.append(sentences, answer_end, position=takes.answer_end_position(1))
        await self.pipes.append(sentences, {"event": "end"}, position=pipe_names.END_POSITION)
        position, fields = takes.written(takes.Final(1, ""))
        await self.pipes.append(pipe_names.turn(call_id, 0, pipe_names.TRANSCRIPT), fields, position=position)
