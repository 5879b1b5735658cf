"""Decides which tools a request may use: sentence similarity knows better than a model of half a billion weights."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from local_stack.speech.backend import Asking, Tool
from local_stack.speech.local.minilm import MiniLm
from local_stack.speech.routes.chat_request import message_text

CERTAIN = 0.36
"""From this similarity on, the user asks for the tool."""
POSSIBLE = 0.12
"""Below this similarity, the user does not ask for any tool."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reply may be: one call of `tools`, or plain text, or either."""

    tools: tuple[Tool, ...]
    text: bool


class ToolChooser:
    """Compares what the user said with what the tools do."""

    def __init__(self, model: MiniLm) -> None:
        self._model = model

    async def choose(self, asking: Asking) -> Choice:
        """The request's own choice; where it leaves it open, the one that similarity suggests."""
        if asking.tool_choice == "none" or not asking.tools:
            return Choice((), text=True)
        if asking.tool_choice != "auto":
            named = tuple(tool for tool in asking.tools if tool.name == asking.tool_choice)
            return Choice(named or asking.tools, text=False)
        last = asking.messages[-1]
        if last.get("role") != "user":
            return Choice((), text=True)  # after a tool's result the model only repeats the call
        scores = await asyncio.to_thread(self._similarities, message_text(last), asking.tools)
        best = int(np.argmax(scores))
        if scores[best] >= CERTAIN:
            return Choice((asking.tools[best],), text=False)
        return Choice(asking.tools if scores[best] >= POSSIBLE else (), text=True)

    def _similarities(self, said: str, tools: tuple[Tool, ...]) -> list[float]:
        purposes = [f"{tool.name.replace('_', ' ')}: {tool.description}" for tool in tools]
        vectors = np.array(self._model.embed([said or " ", *purposes])[0])
        return [float(score) for score in vectors[1:] @ vectors[0]]
