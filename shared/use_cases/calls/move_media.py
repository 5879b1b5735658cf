"""A call's socket goes while the call itself goes on, and another one takes its place."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from shared.domain import pipe_names
from shared.domain.call import EndReason
from shared.domain.errors import Conflict, NotFound
from shared.domain.phrases import speaking
from shared.domain.telephony.lines import CAPABILITIES, Capability, Provider
from shared.ports.call_store import CallStore
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.use_cases.calls.answer_call import Answered
from shared.use_cases.calls.end_call import EndCall

_MOST_TIMES, _MOST_BEFORE_ANY = 10, 2
"""A call whose sockets break again and again is not to be held for ever, least of all one that never had any."""


@dataclass(frozen=True, slots=True)
class MoveMedia:
    call_store: CallStore
    live_calls: LiveCalls
    directory: Directory
    end_call: EndCall

    @asynccontextmanager
    async def errand(self, provider: Provider, provider_call_id: str) -> AsyncGenerator[None, None]:
        """While the provider is told to do something else with the call for a moment, for which it closes the socket
        and after which it asks us again (`resume`): the end of that socket is no end of the call.
        """
        live = await self._live(provider, provider_call_id)
        if live is None or not live.connection_id:
            yield
            return
        await self.live_calls.detach(live.call_id, connection_id=live.connection_id)
        is_told = False
        try:
            yield
            is_told = True
        finally:
            if not is_told:  # so nothing has changed
                await self._take_back(live)

    async def _take_back(self, live: LiveCall) -> None:
        await self.live_calls.attach(
            live.call_id,
            hub=live.hub,
            connection_id=live.connection_id,
            stream_id=live.stream_id,
            at_ms=live.started_ms,
        )

    async def require(self, call_id: str, provider: Provider, provider_call_id: str = "") -> None:
        """Raises: NotFound, unless the provider's call is this call of ours, and runs. Without `provider_call_id`,
        for who has several ids of a call, it may be any call of that provider.
        """
        live = await self.live_calls.get(call_id) if call_id else None
        if live is None or live.provider is not provider or provider_call_id not in ("", live.provider_call_id):
            raise NotFound("call_unknown", "the call is not running, or is another one")

    async def lost(self, call_id: str, connection_id: str) -> None:
        """This connection is gone; whether the call goes on is not known yet."""
        live = await self.live_calls.get(call_id)
        if live is None or live.connection_id not in ("", connection_id):
            return
        if live.end_reason:
            await self.live_calls.detach(call_id, connection_id=connection_id)
        else:  # it may be gone for an errand
            await self._let_go(live)

    async def stopped(self, call_id: str, connection_id: str) -> None:
        """The provider has ended this connection, and with it the call, unless another one has taken its place."""
        live = await self.live_calls.get(call_id)
        if live is not None and live.connection_id == connection_id:
            await self.end_call.note(call_id, EndReason.CALLER_HUNG_UP)

    async def stream_stopped(self, provider: Provider, provider_call_id: str, stream_id: str) -> None:
        """The same, as the provider tells it by a webhook."""
        live = await self._live(provider, provider_call_id)
        if live is not None and stream_id and live.stream_id == stream_id and live.connection_id:
            await self.end_call.note(live.call_id, EndReason.CALLER_HUNG_UP)

    async def stream_broke(self, provider: Provider, provider_call_id: str, stream_id: str) -> None:
        """The provider tells that this connection broke, and asks us soon what comes next (`resume`): that it has
        ended, which it tells too, is no end of the call.
        """
        live = await self._live(provider, provider_call_id)
        if live is not None and stream_id and live.stream_id == stream_id and not live.end_reason:
            await self._let_go(live)

    async def resume(self, provider: Provider, provider_call_id: str, *, unless_leaving: bool = False) -> Answered:
        """Let another socket take the place of the one before. Raises: Conflict for a call that is over, or that has
        lost too many; with `unless_leaving` also for one that is being put through.
        """
        call = await self.call_store.of_provider(provider, provider_call_id)
        live = None if call is None else await self.live_calls.get(call.call_id)
        if live is None or live.end_reason or (unless_leaving and live.leaving):
            raise Conflict("call_ended", "this call has ended already")
        agent = await self.directory.agent(live.tenant_id, live.agent_id, live.agent_version)
        most = (
            _MOST_TIMES if live.started_ms or Capability.TEXT_TURNS in CAPABILITIES[live.line] else _MOST_BEFORE_ANY
        )
        if agent is None or await self.live_calls.draw(live.call_id, "resumed") >= most:
            await self.end_call.note(live.call_id, EndReason.ERROR)
            raise Conflict("call_broken", "this call cannot be gone on with")
        await self._let_go(live)
        if call is not None and call.language not in ("", agent.language):
            agent = replace(speaking(agent, call.language), voice="default")  # one of that language's
        return Answered(live.call_id, agent, live.line, await self.live_calls.issue_ticket(live.call_id))

    async def _let_go(self, live: LiveCall) -> None:
        """What this connection was given and has not said, nobody will hear: who speaks learns it."""
        await self.end_call.pipes.append(pipe_names.events(live.call_id), {"event": "lost"}, must_exist=True)
        await self.live_calls.detach(live.call_id, connection_id=live.connection_id)

    async def _live(self, provider: Provider, provider_call_id: str) -> LiveCall | None:
        call = await self.call_store.of_provider(provider, provider_call_id)
        return None if call is None else await self.live_calls.get(call.call_id)
