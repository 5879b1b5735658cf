"""Directs the scripted speech and language service of a stack, and reads what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

MS_PER_CHARACTER = 45
"""How long the scripted voice takes for a character."""

Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScriptedService:
    url: str

    async def give(self, dialogue: Sequence[dict[str, Any]], **latencies: float) -> None:
        """From now on the service goes by this dialogue, and has been asked nothing yet."""
        await self._post("/script", {"dialogue": list(dialogue), "latencies": latencies})

    async def break_down(self, *faults: dict[str, Any]) -> None:
        """From now on these go wrong, until all is well again by `take_requests`."""
        await self._post("/faults", [{"count": 50, **fault} for fault in faults])

    async def requests(self) -> list[Request]:
        """What the service was asked."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/timeline") as answer:
            answer.raise_for_status()
            found: list[Request] = (await answer.json())["requests"]
            return found

    async def take_requests(self) -> list[Request]:
        """The same; then it has been asked nothing, and nothing goes wrong any more."""
        found = await self.requests()
        await self._post("/reset", {})
        return found

    async def _post(self, path: str, body: Any) -> None:
        async with aiohttp.ClientSession() as session, session.post(self.url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()


def asked_for(requests: Sequence[Request], text: str) -> list[Request]:
    """The requests for an answer to this text of the caller."""
    return [request for request in requests if request["kind"] == "llm" and _messages(request)[-1]["content"] == text]


def history(request: Request) -> list[tuple[str, str]]:
    """What the model was told of the conversation, as (role, words), instructions left out."""
    return [(message["role"], message["content"]) for message in _messages(request) if message["role"] != "system"]


def _messages(request: Request) -> list[dict[str, str]]:
    messages: list[dict[str, str]] = request["details"]["last_messages"]
    return messages
