"""A call's sound is kept in one file and found again, whatever happens to the file."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import StoreError
from shared.ports.file_store import LARGEST_APPEND_BYTES
from shared.use_cases.calls.sound_pieces import SoundPieces
from tests.fakes.call import CALL_ID, turn_request
from tests.fakes.stores import FakeFileStore

NAME = f"calls/{CALL_ID}.sound"


@pytest.fixture
def files() -> FakeFileStore:
    return FakeFileStore()


@pytest.fixture
def pieces(files: FakeFileStore) -> SoundPieces:
    return SoundPieces(files)


async def test_pieces_are_found_by_side_and_in_order(pieces: SoundPieces, files: FakeFileStore) -> None:
    await pieces.keep(turn_request(1), "agent", 700, b"so")
    await pieces.keep(turn_request(1), "caller", 0, b"hear")
    await pieces.keep(turn_request(0), "agent", 200, b"me")
    assert await pieces.read(CALL_ID) == {"caller": [(0, b"hear")], "agent": [(200, b"me"), (700, b"so")]}
    assert list(files.kept) == [NAME]
    assert await pieces.read("another") == {"caller": [], "agent": []}
    await pieces.forget(CALL_ID)
    await pieces.forget(CALL_ID)
    assert files.kept == {}


async def test_who_listens_and_who_speaks_keep_at_once(pieces: SoundPieces, files: FakeFileStore) -> None:
    """Each piece is larger than what can be appended at once, so that they stand there mixed."""
    honest = files.append
    sizes: list[int] = []

    async def append(name: str, data: bytes) -> None:
        await asyncio.sleep(0)
        sizes.append(len(data))
        await honest(name, data)

    files.append = append  # type: ignore[method-assign]
    sound = bytes(2 * LARGEST_APPEND_BYTES)
    await asyncio.gather(*(pieces.keep(turn_request(1), side, 40, sound) for side in ("caller", "agent")))
    assert len(sizes) == 6
    for parts in (await pieces.read(CALL_ID)).values():
        assert b"".join(pcm for _, pcm in parts) == sound
        ends = [at_ms + len(pcm) / BYTES_PER_MS for at_ms, pcm in parts]
        assert [at_ms for at_ms, _ in parts] == [40, *ends[:-1]]


async def test_a_step_that_ran_again_counts_once(pieces: SoundPieces) -> None:
    for pcm in (b"what was", b"what was heard", b"what was"):
        await pieces.keep(turn_request(1), "caller", 0, pcm)
    assert (await pieces.read(CALL_ID))["caller"] == [(0, b"what was heard")]


async def test_a_damaged_piece_costs_no_other(
    pieces: SoundPieces, files: FakeFileStore, caplog: pytest.LogCaptureFixture
) -> None:
    await pieces.keep(turn_request(0), "agent", 0, b"before")
    files.kept[NAME] += b"torn"
    await pieces.keep(turn_request(1), "agent", 9, b"after")
    files.kept[NAME] = files.kept[NAME] + files.kept[NAME][:-1]
    assert (await pieces.read(CALL_ID))["agent"] == [(0, b"before"), (9, b"after")]
    assert "bytes of its sound are damaged" in caplog.text


async def test_files_that_are_away_cost_a_line(
    pieces: SoundPieces, files: FakeFileStore, caplog: pytest.LogCaptureFixture
) -> None:
    async def append(name: str, data: bytes) -> None:
        raise StoreError("files_timeout", "away", retryable=True)

    files.append = append  # type: ignore[method-assign]
    await pieces.keep(turn_request(3), "agent", 0, b"x")
    assert [record.getMessage() for record in caplog.records] == [
        f"call {CALL_ID} turn 3: its sound is not kept: files_timeout: away"
    ]
