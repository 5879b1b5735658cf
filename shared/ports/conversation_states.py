"""The state of each running conversation, written once a turn."""

from __future__ import annotations

from typing import Protocol

from shared.domain.understanding.state import State


class ConversationStates(Protocol):
    """Raises `StoreError` when the store does not answer in time. All of it expires by itself, and with the call."""

    async def read(self, call_id: str) -> tuple[State | None, int]:
        """The state and its revision; None and 0 where there is none. One that cannot be read is none, but keeps its
        revision.
        """
        ...

    async def write(self, call_id: str, state: State, *, revision: int) -> bool:
        """Replace the state with this revision (0: there is none). False if somebody else was sooner."""
        ...
