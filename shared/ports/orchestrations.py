"""The durable engine, as the use cases see it."""

from __future__ import annotations

from typing import Protocol

from shared.domain.steps import CallRequest


class Orchestrations(Protocol):
    async def start_call(self, request: CallRequest) -> None:
        """Start the `call` orchestration; one that runs already for this call is no error."""
        ...

    async def speech_began(self, call_id: str, turn: int) -> None:
        """Tell the running call that speech has begun in this turn."""
        ...
