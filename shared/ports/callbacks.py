"""Calls back that an agent has promised, until they are placed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class CallbackState(StrEnum):
    PLANNED = "planned"
    PLACED = "placed"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Callback:
    """`promised_in`: the call in which it was promised. `to`: the caller's own number; `caller_id`: ours. `call_id`:
    the call that it became. `trouble`: the code of why it was not placed, until now or for good.
    """

    callback_id: str
    tenant_id: str
    agent_id: str
    promised_in: str
    to: str
    caller_id: str
    due_at: datetime
    reason: str = ""
    state: CallbackState = CallbackState.PLANNED
    call_id: str = ""
    trouble: str = ""


class Callbacks(Protocol):
    """Raises `StoreError` from every method when the store does not answer in time."""

    async def add(self, callback: Callback, *, most: int) -> bool:
        """One that is there already is left as it is. False if `most` are planned to this number already, or
        a few more that came at the same moment.
        """
        ...

    async def due(self, at: datetime, limit: int = 50) -> list[Callback]:
        """Of all tenants, the planned ones whose time has come, the longest waiting first."""
        ...

    async def find(self, tenant_id: str, *, planned: bool = False, limit: int = 50) -> list[Callback]:
        """The latest due first, at most `limit` (1-200)."""
        ...

    async def one(self, tenant_id: str, callback_id: str) -> Callback | None: ...

    async def move(self, callback: Callback, state: CallbackState, *, call_id: str = "", trouble: str = "") -> bool:
        """Only from where it was when it was read, atomically. False if it has moved since."""
        ...

    async def put_off(self, callback: Callback, until: datetime, trouble: str) -> bool:
        """It is still planned, and not asked for before `until`; `due_at` stays as it was promised."""
        ...
