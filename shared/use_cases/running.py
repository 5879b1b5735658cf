"""Who is talking: a call that runs, and its agent."""

from __future__ import annotations

from shared.domain.call import Agent
from shared.domain.errors import NotFound
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls


async def running(live_calls: LiveCalls, directory: Directory, call_id: str) -> tuple[LiveCall, Agent]:
    """Raises: NotFound for a call that is not running, or whose agent is gone."""
    live = await live_calls.get(call_id)
    if live is None:
        raise NotFound("call_unknown", "the call is not running")
    return live, await agent_of(directory, live)


async def agent_of(directory: Directory, live: LiveCall) -> Agent:
    """The agent of a running call, as it was published when the call began. Raises: NotFound."""
    agent = await directory.agent(live.tenant_id, live.agent_id, live.agent_version)
    if agent is None:
        raise NotFound("agent_unknown", "the call's agent is gone")
    return agent
