"""Deletes what was kept for its time: recordings, transcripts, sealed texts, settled messages, told news."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.after_call.records import raw_purpose
from shared.domain.errors import StoreError
from shared.ports.after_call_records import RetentionStore
from shared.ports.clock import Clock
from shared.ports.file_store import FileStore
from shared.ports.vault import Vault
from shared.use_cases.calls.sound_pieces import SoundPieces

logger = logging.getLogger(__name__)

_PORTION = 200
_MOST_PORTIONS = 25
"""At a time; the rest is deleted next time."""
_DELIVERIES_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Deleted:
    recordings: int
    transcripts: int
    raw: int
    settled: int
    deliveries: int
    resealed: int


@dataclass(frozen=True, slots=True)
class DeleteOverdue:
    store: RetentionStore
    files: FileStore
    vault: Vault
    clock: Clock

    async def __call__(self) -> Deleted:
        """May be broken off and run again at any point, also twice at once. Raises: StoreError."""
        now = self.clock.now()
        await _in_portions(lambda: self.store.plan(limit=_PORTION))
        return Deleted(
            recordings=await _in_portions(self._recordings),
            transcripts=await _in_portions(lambda: self.store.delete_transcripts(now, limit=_PORTION)),
            raw=await _in_portions(lambda: self.store.delete_raw(now, limit=_PORTION)),
            settled=await _in_portions(lambda: self.store.delete_settled(now, limit=_PORTION)),
            deliveries=await _in_portions(
                lambda: self.store.delete_deliveries(now - _DELIVERIES_KEPT, limit=_PORTION)
            ),
            resealed=await self._reseal(),
        )

    async def _recordings(self) -> int:
        """The files first: what is noted as deleted is gone."""
        due = await self.store.due_recordings(self.clock.now(), limit=_PORTION)
        pieces = SoundPieces(self.files)
        for kept in due:
            for blob in kept.blobs:
                await self.files.delete(blob)
            await pieces.forget(kept.call_id)
            await self.store.recordings_deleted(kept)
        return len(due)

    async def _reseal(self) -> int:
        """Of one run: under the present key, so that the one before it can be thrown away at last."""
        if not self.vault.key_id:
            return 0
        resealed = 0
        for old in await self.store.old_seals(self.vault.key_id, limit=_PORTION):
            try:
                new = await self.vault.reseal(old.sealed, purpose=raw_purpose(old.tenant_id, old.call_id))
            except StoreError as error:
                logger.warning("call %s: what is sealed cannot be sealed anew: %s", old.call_id, error)
                continue
            await self.store.reseal(old, new)
            resealed += 1
        return resealed


async def _in_portions(deed: Callable[[], Awaitable[int]]) -> int:
    total = 0
    for _ in range(_MOST_PORTIONS):
        done = await deed()
        total += done
        if done < _PORTION:
            break
    return total
