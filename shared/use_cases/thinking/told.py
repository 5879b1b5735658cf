"""All that answering a take is told: what the model reads, and for whom, and with what, its tools are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.call import Agent
from shared.ports.knowledge import Passage
from shared.ports.language_model import Message, ToolOffer
from shared.ports.tool_box import Tool, ToolBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`caller`, `heard` and `language`: see `ToolRequest`. `filler`: what is said while a tool runs that has no
    phrase of its own. `box`: who calls `tools`; None where there are none.
    `passages`: of documents, on which the answer rests. `farewell`: what is said instead of an answer, the last of
    this call. `transfers_with_answers`: see `Line`.
    """

    agent: Agent
    messages: Sequence[Message]
    language: str = ""
    heard: tuple[str, ...] = ()
    caller: str = ""
    filler: str = ""
    tools: tuple[Tool, ...] = ()
    box: ToolBox | None = None
    passages: Sequence[Passage] = ()
    farewell: str = ""
    transfers_with_answers: bool = False

    @property
    def offers(self) -> tuple[ToolOffer, ...]:
        return tuple(ToolOffer(tool.name, tool.description, tool.parameters) for tool in self.tools)
