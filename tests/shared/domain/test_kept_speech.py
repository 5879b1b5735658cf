"""What is still to be heard of a speech, and what is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.kept_speech import KeptSpeech, Stretch


def test_all_is_to_be_heard_until_it_is_cut_off() -> None:
    kept = KeptSpeech()
    assert kept.answered == ""
    kept.feed(b"ab" * 4)
    first = kept.stretch()
    assert (first, kept.answered) == (Stretch(0, 8, ""), None)
    kept.feed(b"cd" * 2)
    assert kept.learn(first, "I want") == "I want"
    assert kept.answered is None
    kept.cut()
    assert kept.stretch() == Stretch(8, 12, "I want")
    assert kept.sound(8, 12) == b"cdcd"
    assert kept.learn(kept.stretch(), "More.") == "I want More."
    assert kept.answered == "I want More."


def test_an_answer_that_comes_after_the_cut_is_put_where_it_belongs() -> None:
    kept = KeptSpeech()
    kept.feed(bytes(8))
    kept.learn(kept.stretch(), "One")
    kept.feed(bytes(8))
    late = kept.stretch()
    kept.cut()
    assert kept.learn(late, "One, two") == "One, two"
    kept.cut()
    assert kept.stretch() == Stretch(16, 16, "One, two")


def test_an_old_answer_does_not_undo_a_newer_one() -> None:
    kept = KeptSpeech()
    kept.feed(bytes(8))
    old = kept.stretch()
    kept.feed(bytes(8))
    kept.learn(kept.stretch(), "One, two.")
    kept.learn(old, "One")
    assert kept.answered == "One, two."


def test_half_a_sample_waits_for_its_other_half() -> None:
    kept = KeptSpeech()
    kept.feed(b"abc")
    assert kept.end == 2
    kept.learn(kept.stretch(), "A")
    assert kept.answered == "A"
    kept.feed(b"d")
    assert kept.answered is None
    assert kept.sound(0, kept.end) == b"abcd"


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=9), st.sampled_from(["ask", "cut"])), max_size=40))
def test_every_byte_is_heard_once_after_cuts(steps: list[bytes | str]) -> None:
    kept, fed, standing = KeptSpeech(), b"", b""
    for step in steps:
        if isinstance(step, bytes):
            kept.feed(step)
            fed += step
        elif step == "ask":
            stretch = kept.stretch()
            heard = kept.sound(stretch.begin, stretch.end)
            assert fed[stretch.begin : stretch.end] == heard
            kept.learn(stretch, "x")
            standing = fed[: stretch.end]
        else:
            kept.cut()
            assert fed[: kept.begin] == standing


def test_telephone_sound_is_kept_beside_it() -> None:
    kept = KeptSpeech()
    for number in range(4):
        kept.feed(bytes([number]) * 640, bytes([number]) * 160)
    assert kept.has_mulaw
    assert kept.mulaw(640, 1920) == b"\x01" * 160 + b"\x02" * 160
    kept.learn(Stretch(0, 1280, ""), "Hello.")
    kept.cut()
    assert kept.mulaw(kept.begin, kept.end) == b"\x02" * 160 + b"\x03" * 160
    assert kept.sound(kept.begin, kept.end) == b"\x02" * 640 + b"\x03" * 640


def test_once_a_piece_came_otherwise_there_is_none() -> None:
    kept = KeptSpeech()
    kept.feed(bytes(640), bytes(160))
    kept.feed(bytes(640))
    kept.feed(bytes(640), bytes(160))
    assert not kept.has_mulaw
    assert kept.mulaw(0, 640) == b""
    assert len(kept.sound(0, kept.end)) == 1920
