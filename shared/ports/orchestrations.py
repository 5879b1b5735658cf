"""The durable engine, as the use cases see it."""

from __future__ import annotations

from typing import Protocol

from shared.domain.steps import CallRequest, FetchRequest


class Orchestrations(Protocol):
    async def start_call(self, request: CallRequest) -> None:
        """Start the `call` orchestration; one that runs already for this call is no error."""
        ...

    async def start_dial(self, request: CallRequest) -> None:
        """Start the `dial` orchestration of an outbound call; one that was started before is no error.

        Raises: StoreError.
        """
        ...

    async def start_fetching(self, request: FetchRequest) -> None:
        """Start the `fetch_recording` orchestration; one that runs already for this recording is no error.

        Raises: StoreError.
        """
        ...

    async def is_running(self, call_id: str) -> bool:
        """Whether the `call` orchestration of this call runs. Raises: StoreError."""
        ...

    async def speech_began(self, call_id: str, turn: int) -> None:
        """Tell the running call that speech has begun in this turn."""
        ...

    async def turn_over(self, call_id: str, turn: int, limit_ms: int) -> None:
        """Tell who watches this turn that the caller has finished and may have to wait `limit_ms` at most for a
        sound; 0: nobody waits. Raises: StoreError.
        """
        ...

    async def turn_answered(self, call_id: str, turn: int) -> None:
        """Tell who watches this turn that the caller hears something, or that nothing is to be heard.

        Raises: StoreError.
        """
        ...
