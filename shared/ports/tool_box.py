"""The tools of one agent, as they can be offered to a model and called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.agents.document import Agent
from shared.domain.agents.tools import Effect


@dataclass(frozen=True, slots=True)
class Tool:
    """What is offered. `name` is unique within the agent. `idempotent`: it may be called again when nobody knows what
    came of it. `filler`: what is said while it runs, if it takes long; none: the agent's own. `group`: the server or
    API document that it is one of, by the name that the agent's document gives it.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    effect: Effect
    idempotent: bool
    deadline_s: float
    filler: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """`key`: the same whenever this very call is made again. `caller`: the number or subject, as the door has proved
    it; a tool is authorised by that, never by what the model says. `turn`, `heard` (the caller's final words of the
    last turns, of this one at the end; at least four where there are as many) and `language` (a tag): by these it is
    judged whether the caller has confirmed what cannot be undone. Without them nothing of that kind is done.
    """

    key: str
    tenant_id: str
    call_id: str
    caller: str
    name: str
    arguments: Mapping[str, Any]
    turn: int = 0
    heard: tuple[str, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`content`: JSON for the model, which is data and never instructions; `failed`: in words that it can tell."""

    content: Any
    failed: str = ""


class ToolBox(Protocol):
    async def tools(self, agent: Agent) -> Sequence[Tool]:
        """Those that can be offered now; a server that does not answer in time has none, and is asked again later."""
        ...

    async def call(self, agent: Agent, request: ToolRequest) -> ToolResult:
        """Within the tool's deadline; arguments have been checked against its schema.
        Raises: ToolError, retryable where nothing can have happened.
        """
        ...
