"""What is kept of a call after it was read, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.after_call.records import AnalysisRecord, Words
from shared.domain.steps import CallRequest
from shared.ports.vault import Sealed


class AfterCallRecords(Protocol):
    """Raises `StoreError` when the store does not answer in time. A tenant's are found within the tenant."""

    async def is_kept(self, tenant_id: str, call_id: str) -> bool:
        """Whether a call's records are kept for good, or there is no such call."""
        ...

    async def keep(
        self,
        tenant_id: str,
        call_id: str,
        *,
        words: Sequence[Words] = (),
        transcript: str | None = None,
        raw: Sealed | None = None,
        analysis: AnalysisRecord | None = None,
    ) -> bool:
        """All of it or nothing, once for each call; False if it was done before. With an analysis that has a
        document, the tenant's webhooks have something to tell.
        """
        ...

    async def analysis(self, tenant_id: str, call_id: str) -> AnalysisRecord | None: ...

    async def raw(self, tenant_id: str, call_id: str) -> Sealed | None: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A call whose time has come. `blobs`: names in the recordings' container."""

    tenant_id: str
    call_id: str
    blobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OldSeal:
    """A sealed raw transcript whose key is not the present one."""

    tenant_id: str
    call_id: str
    sealed: Sealed


class RetentionStore(Protocol):
    """What is due, oldest first, in portions; each is asked for again until it is noted as deleted.

    Raises `StoreError` when the store does not answer in time.
    """

    async def plan(self, *, limit: int) -> int:
        """Note until when things of calls that have ended are kept, by the agent's version that answered; gives how
        many calls. Nothing is due sooner than six hours after the end of its call: until then it may be needed.
        """
        ...

    async def unfinished(self, before: datetime, *, limit: int) -> Sequence[CallRequest]:
        """Calls that ended before this moment and whose records are not kept for good yet."""
        ...

    async def due_recordings(self, now: datetime, *, limit: int) -> Sequence[Kept]: ...

    async def recordings_deleted(self, kept: Kept) -> None: ...

    async def delete_transcripts(self, now: datetime, *, limit: int) -> int:
        """Turns, transcripts, analyses and sealed texts of calls that are due; gives how many calls."""
        ...

    async def delete_raw(self, now: datetime, *, limit: int) -> int:
        """Sealed texts that are due."""
        ...

    async def delete_settled(self, now: datetime, *, limit: int) -> int:
        """Messages that callers left and that were handled, and call-backs that are over, of calls whose transcripts
        are due; gives how many. What somebody still has to do stays until it is done.
        """
        ...

    async def delete_deliveries(self, before: datetime, *, limit: int) -> int:
        """Messages to webhooks that were made before this moment, and what they told."""
        ...

    async def old_seals(self, key_id: str, *, limit: int) -> Sequence[OldSeal]:
        """Those under other keys than this one."""
        ...

    async def reseal(self, old: OldSeal, new: Sealed) -> None:
        """Unless it has changed or gone meanwhile."""
        ...
