"""What was written is read again, whatever stands around it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audio import BYTES_PER_MS
from shared.domain.sound_records import HEADER_BYTES, SoundRecord, pieces, read, written

LARGE = 1 << 20
SMALL = HEADER_BYTES + 2 * BYTES_PER_MS
MAGIC = b"\x89SND"

sounds = st.binary(min_size=1, max_size=300) | st.just(MAGIC * 20)
records = st.builds(
    SoundRecord,
    side=st.sampled_from(["caller", "agent"]),
    turn=st.integers(0, 1000),
    at_ms=st.integers(0, 3_600_000),
    pcm=sounds,
)
damage = st.binary(min_size=1, max_size=60).filter(lambda junk: MAGIC not in junk and junk[-3:] != MAGIC[:3])


def file_of(*written_records: SoundRecord, largest_bytes: int = LARGE) -> bytes:
    return b"".join(part for record in written_records for part in written(record, largest_bytes))


@given(st.lists(records, max_size=6))
def test_what_was_written_is_read(some: list[SoundRecord]) -> None:
    assert read(file_of(*some)) == (some, 0)


@given(records)
def test_a_large_record_is_several_that_each_stand_for_themselves(record: SoundRecord) -> None:
    parts = written(record, SMALL)
    assert all(len(part) <= SMALL for part in parts)
    found, lost_bytes = read(b"".join(parts))
    assert (b"".join(part.pcm for part in found), lost_bytes) == (record.pcm, 0)
    for before, after in pairwise(found):
        assert after.at_ms - before.at_ms == len(before.pcm) // BYTES_PER_MS == len(before.pcm) / BYTES_PER_MS
    assert {(part.side, part.turn) for part in found} == {(record.side, record.turn)}
    assert found[0].at_ms == record.at_ms


@given(records, records)
def test_two_may_write_large_records_at_once(one: SoundRecord, other: SoundRecord) -> None:
    mixed = [part for parts in zip(written(one, SMALL), written(other, SMALL), strict=False) for part in parts]
    assert read(b"".join(mixed))[1] == 0


@given(st.binary(max_size=400) | st.lists(st.sampled_from([MAGIC, b"\x01", b"\x00" * 9, b"x"])).map(b"".join))
def test_anything_can_be_read(data: bytes) -> None:
    found, lost_bytes = read(data)
    assert (found, lost_bytes) == ([], len(data))


@given(st.lists(records, max_size=3), records, st.lists(records, max_size=3), damage)
def test_bytes_that_belong_to_nothing_are_passed_over(
    before: list[SoundRecord], torn: SoundRecord, after: list[SoundRecord], junk: bytes
) -> None:
    assert read(file_of(*before) + junk + file_of(*after)) == ([*before, *after], len(junk))
    (whole,) = written(torn, LARGE)
    for kept_bytes in (1, HEADER_BYTES - 1, HEADER_BYTES, len(whole) - 1):
        part = whole[:kept_bytes]
        assert read(file_of(*before) + part + file_of(*after)) == ([*before, *after], len(part)), kept_bytes


@given(records, records, st.data())
def test_a_changed_byte_costs_its_record_and_no_other(
    one: SoundRecord, other: SoundRecord, data: st.DataObject
) -> None:
    (whole,) = written(one, LARGE)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    assert read(file_of(other) + changed + file_of(other)) == ([other, other], len(whole))


def test_nothing_is_written_of_no_sound() -> None:
    assert written(SoundRecord("agent", 1, 0, b""), LARGE) == []


@pytest.mark.parametrize("largest_bytes", [0, HEADER_BYTES, HEADER_BYTES + BYTES_PER_MS - 1])
def test_what_holds_no_sound_is_no_size(largest_bytes: int) -> None:
    with pytest.raises(ValueError, match="too small"):
        written(SoundRecord("agent", 1, 0, b"ab"), largest_bytes)


def test_sides_are_apart_and_in_order_of_turns() -> None:
    some = [
        SoundRecord("agent", 2, 90, b"d"),
        SoundRecord("caller", 2, 80, b"c"),
        SoundRecord("agent", 1, 95, b"b"),
        SoundRecord("agent", 1, 20, b"a"),
    ]
    assert pieces(some) == {"agent": [(20, b"a"), (95, b"b"), (90, b"d")], "caller": [(80, b"c")]}
    assert pieces([]) == {"agent": [], "caller": []}


@pytest.mark.parametrize("twice", [[b"abc", b"ab"], [b"ab", b"abc"], [b"abc", b"abc"], [b"xyz", b"abc"]])
def test_of_what_was_written_twice_the_longest_stands(twice: list[bytes]) -> None:
    assert pieces(SoundRecord("caller", 1, 5, pcm) for pcm in twice)["caller"] == [(5, b"abc")]
