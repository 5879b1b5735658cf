"""The lasting record of calls; every question is asked within a tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.domain.call import Call, CallState, EndReason, Recording, Turn


class CallStore(Protocol):
    """Raises `StoreError` (retryable where it is) from every method when the store does not answer in time."""

    async def create(self, call: Call) -> bool:
        """Record a new call. False, and nothing is changed, if a call with this id is already there."""
        ...

    async def advance(
        self, tenant_id: str, call_id: str, state: CallState, *, at: datetime, reason: EndReason | None = None
    ) -> bool:
        """Move the call's state forward (`moves_forward`), atomically; `at` becomes its end where it ends.

        False if the call is unknown or the state would move backwards or sideways.
        """
        ...

    async def save_turn(self, tenant_id: str, call_id: str, turn: Turn) -> None:
        """Insert or replace the turn with this number. Raises: NotFound for an unknown call."""
        ...

    async def save_recording(self, tenant_id: str, call_id: str, recording: Recording) -> None: ...

    async def save_transcript(self, tenant_id: str, call_id: str, text: str) -> None:
        """Insert or replace the call's transcript, a line a speech (`caller: …`, `agent: …`)."""
        ...

    async def get(self, tenant_id: str, call_id: str) -> Call | None:
        """The call with its turns in order, or None if the tenant has no such call."""
        ...

    async def find(
        self,
        tenant_id: str,
        *,
        provider_call_id: str | None = None,
        state: CallState | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Call]:
        """Calls without their turns, newest first, at most `limit` (1–200), started before `before`."""
        ...

    async def ping(self) -> None:
        """Raises: StoreError if the store is not ready."""
        ...
