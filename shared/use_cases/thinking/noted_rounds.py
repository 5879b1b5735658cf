"""What an answer has had from its tools, kept so that a step that runs again asks neither model nor tool anew."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from shared.domain import pipe_names, takes
from shared.domain.steps import TurnRequest
from shared.ports.language_model import Message, ToolCall
from shared.ports.pipes import Pipes
from shared.ports.tool_box import ToolRequest


@dataclass(frozen=True, slots=True)
class Round:
    """One answer that called tools. `results` answer `calls`, one by one; `said`: how many sentences of the take
    stood when all of that was over; `leaving`: the call that ends our part, once the caller has heard all of it.
    """

    text: str
    calls: tuple[ToolCall, ...]
    results: tuple[str, ...]
    said: int
    leaving: ToolRequest | None = None

    @property
    def messages(self) -> list[Message]:
        answers = [
            Message("tool", result, answers=call.call_key)
            for call, result in zip(self.calls, self.results, strict=True)
        ]
        return [Message("assistant", self.text, calls=self.calls), *answers]

    def to_text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Round:
        document: dict[str, Any] = json.loads(text)
        leaving = document["leaving"]
        if leaving is not None:
            leaving = ToolRequest(**leaving | {"heard": tuple(leaving["heard"])})
        calls = tuple(ToolCall(**call) for call in document["calls"])
        return cls(document["text"], calls, tuple(document["results"]), document["said"], leaving)


@dataclass(frozen=True, slots=True)
class NotedRounds:
    """Raises StoreError from every method."""

    pipes: Pipes
    request: TurnRequest
    take: int

    async def read(self) -> list[Round]:
        """Those of this take, in order."""
        return [
            Round.from_text(entry.fields[b"round"].decode())
            for entry in await self.pipes.read(self._pipe)
            if takes.place(entry.position)[0] == self.take
        ]

    async def write(self, number: int, noted: Round) -> None:
        """`number` counts from 1; what stands in its place remains."""
        await self.pipes.append(
            self._pipe, {"round": noted.to_text()}, position=takes.sentence_position(self.take, number)
        )

    @property
    def _pipe(self) -> str:
        return pipe_names.turn(self.request.call_id, self.request.turn, pipe_names.TOOLS)
