"""Fragments are read whatever pieces they come in, and whatever else comes with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_stack.phones.connect.mkv_writer import element, fragment
from shared.adapters.connect.mkv import (
    LARGEST_ELEMENT_BYTES,
    FragmentBegan,
    MkvEvent,
    MkvReader,
    Sounded,
    Tagged,
    TrackNamed,
)

STARTS_MS = 1_795_381_200_000
BLOCKS = [(1, 0, b"\x01\x00" * 480), (2, 0, b"\x02\x00" * 480), (1, 60, b"\x03\x00" * 480)]
CONTENT = fragment(
    BLOCKS, starts_ms=STARTS_MS, before={"ContactId": "c1"}, after={"AWS_KINESISVIDEO_CONTINUATION_TOKEN": "77"}
)
MEANING: list[MkvEvent] = [
    FragmentBegan(),
    Tagged("ContactId", "c1"),
    TrackNamed(1, "AUDIO_FROM_CUSTOMER"),
    TrackNamed(2, "AUDIO_TO_CUSTOMER"),
    *[Sounded(track, STARTS_MS + offset_ms, pcm) for track, offset_ms, pcm in BLOCKS],
    Tagged("AWS_KINESISVIDEO_CONTINUATION_TOKEN", "77"),
]


def read(*pieces: bytes) -> list[MkvEvent]:
    reader = MkvReader()
    return [event for piece in pieces for event in reader.feed(piece)]


def test_a_fragment() -> None:
    assert read(CONTENT) == MEANING


@given(st.lists(st.integers(1, len(CONTENT) * 2), max_size=12))
def test_pieces_of_any_size(cuts: list[int]) -> None:
    whole, at, pieces = CONTENT * 2, 0, []
    for cut in sorted(cuts):
        pieces.append(whole[at:cut])
        at = cut
    assert read(*pieces, whole[at:]) == MEANING * 2


def test_byte_by_byte() -> None:
    assert read(*(CONTENT[at : at + 1] for at in range(len(CONTENT)))) == MEANING


def test_unknown_elements_are_passed_over() -> None:
    void = element(0xEC, bytes(5000))
    cues = element(0x1C53BB6B, CONTENT[:200])
    strange = element(0x4DBB, b"x")
    assert read(CONTENT + void + cues + strange + CONTENT) == MEANING * 2


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 100, b"not matroska at all", bytes(range(256)), b"\xa3\xff", b"\x1f\x43\xb6\x76\x08abc"]
)
def test_it_finds_its_way_again(garbage: bytes) -> None:
    events = read(CONTENT + garbage + CONTENT + CONTENT)
    assert events[: len(MEANING)] == MEANING
    assert events[-len(MEANING) :] == MEANING


@given(st.lists(st.binary(max_size=600), max_size=8))
def test_arbitrary_bytes_raise_nothing_and_are_not_kept(pieces: list[bytes]) -> None:
    reader = MkvReader()
    for piece in pieces:
        reader.feed(piece)
    assert reader.held_bytes <= sum(map(len, pieces))


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 255))
def test_a_byte_that_was_changed_raises_nothing(at: int, value: int) -> None:
    broken = bytearray(CONTENT * 2)
    broken[at] = value
    read(bytes(broken))


def test_what_it_holds_is_bounded() -> None:
    reader = MkvReader()
    reader.feed(CONTENT[: CONTENT.index(b"\x1f\x43\xb6\x75")])
    reader.feed(b"\xa3" + (1 << 28 | 200 * 1024).to_bytes(4, "big"))
    for _ in range(100):
        reader.feed(bytes(10_000))
        assert reader.held_bytes <= LARGEST_ELEMENT_BYTES + 10_000
    claims = MkvReader()
    claims.feed(b"\xec\x01\x00\x00\x00\x00\xff\xff\xff")  # 16 MB of nothing
    for _ in range(50):
        claims.feed(bytes(100_000))
        assert claims.held_bytes == 0


def test_laced_and_torn_blocks_are_no_sound() -> None:
    head = CONTENT[: CONTENT.index(b"\x1f\x43\xb6\x75")]
    laced, torn = element(0xA3, b"\x81\x00\x00\x06abc"), element(0xA3, b"\x81\x00")
    cluster = element(0x1F43B675, element(0xE7, b"\x01") + laced + torn + element(0xA3, b""))
    assert not [event for event in read(head + cluster) if isinstance(event, Sounded)]
