"""What is overdue goes, files first; what breaks off is done next time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from shared.adapters.aes_gcm.vault import AesGcmVault
from shared.domain.after_call.records import raw_purpose
from shared.domain.errors import StoreError
from shared.domain.steps import CallRequest
from shared.ports.after_call_records import Kept, OldSeal
from shared.ports.vault import Sealed
from shared.use_cases.after_call.delete_overdue import DeleteOverdue
from shared.use_cases.after_call.take_up_calls import TakeUpCalls
from tests.fakes.after_calls import FakeAfterCallOrchestrations
from tests.fakes.clock import FakeClock
from tests.fakes.stores import FakeFileStore

OLD, NEW = AesGcmVault({"old": b"o" * 32}), AesGcmVault({"new": b"n" * 32, "old": b"o" * 32})


@dataclass
class FakeRetentionStore:
    """Fills the port `RetentionStore`. The counts: how many of each are left."""

    due: list[Kept] = field(default_factory=list)
    planned: int = 0
    transcripts: int = 0
    raw: int = 0
    settled: int = 0
    seals: list[OldSeal] = field(default_factory=list)
    resealed: list[Sealed] = field(default_factory=list)
    calls: list[CallRequest] = field(default_factory=list)

    async def plan(self, *, limit: int) -> int:
        self.planned += 1
        return 0

    async def unfinished(self, before: datetime, *, limit: int) -> Sequence[CallRequest]:
        return self.calls

    async def due_recordings(self, now: datetime, *, limit: int) -> Sequence[Kept]:
        return self.due[:limit]

    async def recordings_deleted(self, kept: Kept) -> None:
        self.due.remove(kept)

    async def delete_transcripts(self, now: datetime, *, limit: int) -> int:
        done = min(limit, self.transcripts)
        self.transcripts -= done
        return done

    async def delete_raw(self, now: datetime, *, limit: int) -> int:
        done = min(limit, self.raw)
        self.raw -= done
        return done

    async def delete_settled(self, now: datetime, *, limit: int) -> int:
        done = min(limit, self.settled)
        self.settled -= done
        return done

    async def delete_deliveries(self, before: datetime, *, limit: int) -> int:
        return 0

    async def old_seals(self, key_id: str, *, limit: int) -> Sequence[OldSeal]:
        return [old for old in self.seals if old.sealed.key_id != key_id]

    async def reseal(self, old: OldSeal, new: Sealed) -> None:
        self.resealed.append(new)


class FailingFiles(FakeFileStore):
    """While `down`, nothing is deleted."""

    down = False

    async def delete(self, name: str) -> None:
        if self.down:
            raise StoreError("files_unavailable", "the files are not available", retryable=True)
        await super().delete(name)


async def test_all_that_is_due_goes() -> None:
    files = FakeFileStore()
    for name in ("a.wav", "b.wav", "c.wav"):
        await files.put(name, b"x", content_type="audio/wav")
    store = FakeRetentionStore(
        [Kept("t", "c1", ("a.wav", "b.wav")), Kept("t", "c2")], transcripts=450, raw=3, settled=201
    )
    deleted = await DeleteOverdue(store, files, NEW, FakeClock())()
    assert [await files.get(name) for name in ("a.wav", "b.wav", "c.wav")] == [None, None, b"x"]
    assert (deleted.recordings, deleted.transcripts, deleted.raw, deleted.settled) == (2, 450, 3, 201)
    assert (store.due, store.transcripts, store.raw, store.settled, store.planned) == ([], 0, 0, 0, 1)


async def test_a_recording_that_cannot_be_deleted_is_due_again() -> None:
    files = FailingFiles()
    await files.put("a.wav", b"x", content_type="audio/wav")
    store = FakeRetentionStore([Kept("t", "c1", ("a.wav",))])
    files.down = True
    delete = DeleteOverdue(store, files, NEW, FakeClock())
    with pytest.raises(StoreError):
        await delete()
    assert store.due
    files.down = False
    await delete()
    assert not store.due
    assert await files.get("a.wav") is None


async def test_old_seals_are_renewed_and_one_that_is_damaged_stops_nobody() -> None:
    purpose = raw_purpose("t", "c1")
    good = OldSeal("t", "c1", await OLD.seal(b"said", purpose=purpose))
    store = FakeRetentionStore(seals=[OldSeal("t", "c0", Sealed("gone", b"x")), good])
    deleted = await DeleteOverdue(store, FakeFileStore(), NEW, FakeClock())()
    assert deleted.resealed == 1
    (sealed,) = store.resealed
    assert sealed.key_id == "new"
    assert await NEW.unseal(sealed, purpose=purpose) == b"said"


async def test_without_keys_nothing_is_renewed() -> None:
    store = FakeRetentionStore(seals=[OldSeal("t", "c0", Sealed("gone", b"x"))])
    assert (await DeleteOverdue(store, FakeFileStore(), AesGcmVault({}), FakeClock())()).resealed == 0


async def test_calls_that_nobody_followed_are() -> None:
    engine = FakeAfterCallOrchestrations()
    store = FakeRetentionStore(calls=[CallRequest("t", "c1")])
    assert await TakeUpCalls(store, FakeClock())(engine) == 1
    assert engine.calls == [CallRequest("t", "c1")]
