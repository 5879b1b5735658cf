"""What the caller has heard: by marks, by the clock, and word by word where a sentence was cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audio import BYTES_PER_MS
from shared.domain.playback import LEAD_MS, Piece, Playback, Sent, piece_bytes

TWO = ["one two three four", "five six"]


def piece(sentence: int, number: int, duration_ms: int = 400, *, last: bool = False) -> Piece:
    return Piece(sentence, number, bytes(duration_ms * BYTES_PER_MS), last)


def playing(*pieces: Piece, at_ms: float = 1000.0) -> Playback:
    playback = Playback()
    for one in pieces:
        playback.send(one, at_ms)
    return playback


def test_pieces_begin_short_and_grow() -> None:
    assert [piece_bytes(before) // BYTES_PER_MS for before in range(5)] == [80, 200, 400, 400, 400]


def test_a_piece_has_a_place_and_a_mark() -> None:
    one = piece(2, 3)
    assert (one.position, one.mark(7), one.duration_ms) == ("2-3", "7-2-3", 400)
    assert "pcm" not in repr(one)


def test_pieces_sound_one_after_the_other() -> None:
    playback = playing(piece(1, 1), piece(1, 2), at_ms=1000)
    assert [(sent.from_ms, sent.until_ms) for sent in playback.sent] == [(1000, 1400), (1400, 1800)]
    assert playback.send(piece(1, 3), 2500).from_ms == 2500, "after a gap it sounds at once"
    assert playback.ends_at_ms == 2900


def test_sending_runs_ahead_by_the_lead() -> None:
    playback = playing(piece(1, 1, 800))
    assert playback.wait_ms(1000) == 800 - LEAD_MS
    assert playback.wait_ms(1300) == 0
    assert Playback().wait_ms(1000) == 0


def test_nothing_sent_is_nothing_heard() -> None:
    playback = Playback()
    assert playback.heard(TWO, 5000) == ""
    assert playback.all_marked
    assert playback.ends_at_ms == 0


def test_by_the_clock() -> None:
    playback = playing(piece(1, 1), piece(1, 2, last=True), piece(2, 1, last=True))
    heard = [playback.heard(TWO, now) for now in (1000, 1199, 1200, 1400, 1799, 1800, 1999, 2000, 2200, 9000)]
    assert heard == [
        "",
        "",
        "one",
        "one two",
        "one two three",
        "one two three four",
        "one two three four",
        "one two three four five",
        "one two three four five six",
        "one two three four five six",
    ]


def test_a_mark_is_believed_more_than_the_clock() -> None:
    playback = playing(piece(1, 1), piece(1, 2, last=True))
    playback.mark("1-1")
    assert playback.heard(TWO, 1000) == "one two"
    assert not playback.all_marked
    playback.mark("1-2")
    assert playback.heard(TWO, 1000) == "one two three four"
    assert playback.all_marked
    assert playback.is_marked("1-2")


def test_of_a_sentence_still_being_made_the_length_is_guessed() -> None:
    playback = playing(piece(1, 1, 585))
    assert playback.heard(TWO, 2000) == "one two", "585 of 18 characters × 65 ms"
    playback.finish(1)
    assert playback.heard(TWO, 2000) == "one two three four"


def test_the_guess_is_never_shorter_than_what_was_sent() -> None:
    playback = playing(piece(1, 1, 4000))
    assert playback.heard(TWO, 3000) == "one two"


def test_a_sentence_without_sound_does_not_hide_those_after_it() -> None:
    playback = playing(piece(2, 1, last=True))
    assert playback.heard(TWO, 5000) == "five six"


def test_a_sentence_that_broke_off_does_not_hide_those_after_it() -> None:
    playback = playing(piece(1, 1, 300), piece(2, 1, last=True))
    assert playback.heard(TWO, 5000) == "one five six"


def test_a_piece_that_never_went_out_is_taken_back() -> None:
    playback = playing(piece(1, 1), piece(1, 2, last=True))
    playback.retract()
    assert playback.ends_at_ms == 1400
    assert playback.heard(["one two three four"], 9000) == "one", "400 of at least 1170 ms, and not its last piece"


def test_restored_pieces_count_as_sent() -> None:
    playback = Playback()
    playback.restore(Sent(piece(1, 1, last=True), 500.0))
    assert playback.ends_at_ms == 900
    assert playback.heard(["yes"], 900) == "yes"
    assert playback.send(piece(2, 1), 600).from_ms == 900


@given(
    st.lists(st.lists(st.integers(1, 500), min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.integers(0, 6000), min_size=2, max_size=6),
)
def test_what_was_heard_only_grows_and_ends_with_everything(lengths: list[list[int]], moments: list[int]) -> None:
    sentences = [f"word{number} and some more of it" for number in range(len(lengths))]
    playback = Playback()
    for number, parts in enumerate(lengths, start=1):
        for index, part in enumerate(parts, start=1):
            playback.send(piece(number, index, part, last=index == len(parts)), 1000)
    heard = [playback.heard(sentences, 1000 + moment) for moment in sorted(moments)]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(heard))
    assert playback.heard(sentences, playback.ends_at_ms) == " ".join(sentences)


@pytest.mark.parametrize("marked", [[], ["1-1"], ["1-1", "1-2"]])
def test_marks_never_take_words_away(marked: list[str]) -> None:
    playback = playing(piece(1, 1), piece(1, 2, last=True))
    before = [playback.heard(TWO, now) for now in range(1000, 2000, 50)]
    for position in marked:
        playback.mark(position)
    after = [playback.heard(TWO, now) for now in range(1000, 2000, 50)]
    assert all(more.startswith(less) for less, more in zip(before, after, strict=True))
