"""The lasting record of calls. What a tenant asks is answered within the tenant; a provider, who knows no tenants,
asks by the id that it gave the call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.domain.call import Call, CallState, EndReason, Recording, Turn
from shared.domain.provider_recording import ProviderRecording
from shared.domain.steps import FetchRequest
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.progress import AnsweredBy


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

    async def enrich(
        self,
        tenant_id: str,
        call_id: str,
        *,
        answered_by: AnsweredBy | None = None,
        duration_s: float | None = None,
        price: str = "",
        language: str = "",
    ) -> bool:
        """Add what is known beside the state, atomically, as `Standing.after` does; also to a call that has ended.

        False if the call is unknown.
        """
        ...

    async def name(self, tenant_id: str, call_id: str, provider_call_id: str) -> bool:
        """Note the provider's id of an outbound call. False if it has another one, or another call has this one."""
        ...

    async def save_turn(self, tenant_id: str, call_id: str, turn: Turn) -> None:
        """Insert or replace the turn with this number. Raises: NotFound for an unknown call."""
        ...

    async def save_recording(self, tenant_id: str, call_id: str, recording: Recording) -> None: ...

    async def save_provider_recording(self, tenant_id: str, call_id: str, recording: ProviderRecording) -> None:
        """Insert or replace the recording of this name; one that is kept, or elsewhere, stays as it is.

        Raises: NotFound for an unknown call.
        """
        ...

    async def announced_recordings(self, *, before: datetime, limit: int = 100) -> list[FetchRequest]:
        """Recordings of all tenants' calls that were announced before this moment, and are neither kept nor lost; the
        oldest first.
        """
        ...

    async def save_transcript(self, tenant_id: str, call_id: str, text: str) -> None:
        """Insert or replace the call's transcript, a line a speech (`caller: …`, `agent: …`)."""
        ...

    async def get(self, tenant_id: str, call_id: str) -> Call | None:
        """The call with its turns in order and its provider's recordings, the oldest first; None if the tenant has
        no such call.
        """
        ...

    async def of_provider(self, provider: Provider, provider_call_id: str) -> Call | None:
        """Whose call a provider's event is about, without turns."""
        ...

    async def of_id(self, call_id: str) -> Call | None:
        """The call of an id that we gave a provider to bring back, without turns."""
        ...

    async def unended(self, *, ringing: datetime, running: datetime, limit: int = 100) -> list[Call]:
        """Calls of all tenants, oldest first, that were begun before `ringing` and never came into progress, or that
        were begun before `running` and have not ended; without turns.
        """
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
