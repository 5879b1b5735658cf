"""A call whose agent has tools, by script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain import interruption, pipe_names, takes
from shared.domain.agents.document import Agent
from shared.domain.agents.tools import Effect, HttpTool, Tools
from shared.domain.telephony.lines import Line
from shared.ports.language_model import ToolCall
from shared.ports.tool_box import Tool, ToolRequest, ToolResult
from shared.use_cases.thinking.briefing import Sources
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeLanguageModel

END = {"event": "end"}
LOOK_UP = Tool("look_up", "Looks an order up.", {"type": "object"}, Effect.READS, idempotent=True, deadline_s=5.0)
CANCEL = replace(LOOK_UP, name="cancel", description="Cancels an order.", effect=Effect.CHANGES, idempotent=False)
HANG_UP = replace(CANCEL, name="hang_up", description="Ends the call.")
DECLARED = Tools(http=(HttpTool(name="look_up", description="d", url="https://shop.example/orders"),))


def call(name: str = "look_up", arguments: str = '{"order": 7}', key: str = "call_1") -> ToolCall:
    return ToolCall(key, name, arguments)


def said(*texts: str, outcome: str = "") -> list[dict[str, str]]:
    return [*({"text": text} for text in texts), {"event": "answer_end", "outcome": outcome}, END]


@dataclass
class FakeToolBox:
    """Fills the port `ToolBox`. `deed`: what each call does; `calls`: those that began, `ended` those that ended."""

    offered: Sequence[Tool] = (LOOK_UP, CANCEL, HANG_UP)
    deed: Callable[[ToolRequest], Awaitable[ToolResult]] | None = None
    calls: list[ToolRequest] = field(default_factory=list)
    ended: list[ToolRequest] = field(default_factory=list)

    async def tools(self, agent: Agent) -> Sequence[Tool]:
        return self.offered

    async def call(self, agent: Agent, request: ToolRequest) -> ToolResult:
        self.calls.append(request)
        result = await self.deed(request) if self.deed is not None else ToolResult({"state": "on its way"})
        self.ended.append(request)
        return result


async def tooled_house(line: Line = Line.WEB, **changes: Any) -> House:
    house = House()
    house.line = line
    await house.connect()
    house.change_agent(tools=DECLARED, **changes)
    await house.live_calls.note(CALL_ID, 0, {"said": "Hello, this is Nora.", "outcome": "completed"})
    await house.write(0, pipe_names.SPOKEN, {"said": "Hello, this is Nora."}, pipe_names.END_POSITION)
    return house


def thinking(house: House, model: FakeLanguageModel, box: FakeToolBox) -> Think:
    async def caller(call_id: str) -> str:
        assert call_id == CALL_ID
        return "+14155550100"

    sources = Sources(tools=box, caller=caller)
    return Think(house.pipes, house.live_calls, house.directory, model, house.clock, sources)


async def tell(house: House, event: takes.TakeEvent, turn: int = 1) -> None:
    """As listening does."""
    position, fields = takes.written(event)
    await house.write(turn, pipe_names.TRANSCRIPT, fields, position)


async def stop(house: House, turn: int = 1) -> None:
    position, fields = interruption.written(interruption.Stop(house.clock.now_ms()))
    await house.write(turn, pipe_names.CONTROL, fields, position)


async def spoken(house: House, outcome: str = "completed", turn: int = 1) -> None:
    """As speaking does when it is over."""
    await house.live_calls.note(CALL_ID, turn, {"outcome": outcome, "said": "…"})
    await house.write(turn, pipe_names.SPOKEN, {"said": "…"}, pipe_names.END_POSITION)


async def think(house: House, model: FakeLanguageModel, box: FakeToolBox, turn: int = 1) -> list[dict[str, str]]:
    """The turn's sentences."""
    await thinking(house, model, box)(turn_request(turn))
    return await house.pipe(turn, pipe_names.SENTENCES)
