"""A voice agent's platform tells what became of a call: it is noted, and what the agent brought along is kept."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from shared.domain.errors import NotFound
from shared.domain.telephony.delegated import Delegated
from shared.domain.telephony.events import CallProgressed
from shared.domain.telephony.lines import Provider
from shared.ports.call_store import CallStore


class _NoteProgress(Protocol):
    def __call__(self, event: CallProgressed, *, call_id: str = "") -> Awaitable[None]: ...


class _KeepDelegated(Protocol):
    def __call__(
        self, provider: Provider, provider_call_id: str, told: Delegated, *, call_id: str = ""
    ) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class TakeResult:
    call_store: CallStore
    note_progress: _NoteProgress
    keep_delegated: _KeepDelegated

    async def __call__(
        self, progress: CallProgressed, told: Delegated, *, call_id: str, is_bound: bool = False
    ) -> None:
        """Told late, or twice, it does no harm. `call_id`: ours, where it is told.

        `is_bound`: whoever tells it may speak of this call of ours only. Raises: NotFound if it is about another one;
        StoreError, TelephonyError.
        """
        provider, provider_call_id = progress.provider, progress.provider_call_id
        if is_bound:
            await self._require(provider, provider_call_id, call_id)
        await self.note_progress(progress, call_id=call_id)
        await self.keep_delegated(provider, provider_call_id, told, call_id=call_id)

    async def _require(self, provider: Provider, provider_call_id: str, call_id: str) -> None:
        """An outbound call may not have its provider's id yet."""
        named = await self.call_store.of_provider(provider, provider_call_id)
        call = named or await self.call_store.of_id(call_id)
        is_ours = call is not None and call.call_id == call_id and call.provider is provider
        if call is None or not is_ours or (named is None and call.provider_call_id):
            raise NotFound("call_unknown", "the result is about another call")
