"""What the caller has heard: by marks, by the clock, across cuts, and word by word where a sentence was cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audio import BYTES_PER_MS
from shared.domain.playback import BACK_UP_MS, LEAD_MS, MARK_EVERY_MS, Piece, Playback, Sent, good_place, piece_bytes

TWO = {1: "one two three four", 2: "five six"}
WHOLE = {1: 800.0, 2: 400.0}


def piece(sentence: int, number: int, duration_ms: int = 400, *, last: bool = False, begins_ms: int = -1) -> Piece:
    begin = begins_ms if begins_ms >= 0 else (number - 1) * duration_ms
    return Piece(sentence, number, bytes(duration_ms * BYTES_PER_MS), last, begin * BYTES_PER_MS)


def playing(*pieces: Piece, at_ms: float = 1000.0) -> Playback:
    playback = Playback()
    for one in pieces:
        playback.send(one, at_ms)
    return playback


def whole() -> tuple[Piece, Piece, Piece]:
    return piece(1, 1), piece(1, 2, last=True), piece(2, 1, last=True)


def test_pieces_begin_short_and_grow() -> None:
    assert [piece_bytes(before) // BYTES_PER_MS for before in range(5)] == [80, 200, 400, 400, 400]


def test_a_piece_has_a_place() -> None:
    one = piece(2, 3)
    assert (one.position, one.ends_ms) == ("2-3", 1200)
    assert "pcm" not in repr(one)


def test_pieces_sound_one_after_the_other() -> None:
    playback = playing(piece(1, 1), piece(1, 2), at_ms=1000)
    assert [(sent.from_ms, sent.until_ms) for sent in playback.sent] == [(1000, 1400), (1400, 1800)]
    assert playback.send(piece(1, 3), 2500).from_ms == 2500, "after a gap it sounds at once"
    assert playback.ends_at_ms == 2900
    assert [sent.number for sent in playback.sent] == [1, 2, 3]


def test_sending_runs_ahead_by_the_lead() -> None:
    playback = playing(piece(1, 1, 800))
    assert playback.wait_ms(1000) == 800 - LEAD_MS
    assert playback.wait_ms(1300) == 0
    assert Playback().wait_ms(1000) == 0


def test_marks_are_asked_for_now_and_then() -> None:
    pieces = [piece(1, number, 200) for number in range(1, 10)]
    playback = playing(*pieces, piece(1, 10, 40, last=True), piece(2, 1, 40, last=True))
    every = MARK_EVERY_MS // 200
    assert [sent.number for sent in playback.sent if sent.is_marked] == [1, 1 + every, 1 + 2 * every, 10, 11]
    playback.cut(1500)
    assert playback.send(piece(1, 3, 200), 1500).is_marked, "and for the first after a cut"


def test_nothing_sent_is_nothing_heard() -> None:
    playback = Playback()
    assert playback.heard(TWO, WHOLE, 5000) == ""
    assert playback.all_marked
    assert not playback.has_answered
    assert playback.ends_at_ms == 0


def test_by_the_clock() -> None:
    playback = playing(*whole())
    moments = (1000, 1199, 1200, 1400, 1799, 1800, 1999, 2000, 2200, 9000)
    assert [playback.heard(TWO, WHOLE, now) for now in moments] == [
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
    playback = playing(*whole())
    playback.mark(1)
    assert playback.heard(TWO, WHOLE, 1000) == "one two"
    assert not playback.all_marked
    playback.mark(3)
    assert playback.heard(TWO, WHOLE, 1000) == "one two three four five six", "and speaks for those before it"
    assert playback.all_marked


def test_marks_of_what_was_never_sent_mean_nothing() -> None:
    playback = playing(piece(1, 1))
    playback.mark(7)
    assert not playback.all_marked


def test_of_a_sentence_still_being_made_the_length_is_guessed() -> None:
    playback = playing(piece(1, 1, 585))
    assert playback.heard(TWO, {}, 2000) == "one two", "585 of 18 characters × 65 ms"
    assert playback.heard(TWO, {1: 585}, 2000) == "one two three four"


def test_the_guess_is_never_shorter_than_what_was_sent() -> None:
    playback = playing(piece(1, 1, 4000))
    assert playback.heard(TWO, {}, 3000) == "one two"


def test_a_sentence_without_sound_does_not_hide_those_after_it() -> None:
    assert playing(piece(2, 1, last=True)).heard(TWO, WHOLE, 5000) == "five six"


def test_what_belongs_to_no_sentence_is_not_said() -> None:
    playback = playing(piece(0, 1, 600, last=True), piece(1, 1), piece(1, 2, last=True))
    assert playback.heard(TWO, WHOLE, 1600) == ""
    assert playback.heard(TWO, WHOLE, 2000) == "one two"
    assert [(from_ms, len(pcm) // BYTES_PER_MS) for from_ms, pcm in playback.runs(2000)] == [(1000, 1000)]


def test_a_piece_that_never_went_out_is_taken_back() -> None:
    playback = playing(*whole()[:2])
    assert playback.retract().number == 2
    assert playback.ends_at_ms == 1400
    assert playback.heard(TWO, {}, 9000) == "one", "400 of at least 1170 ms"
    assert playback.send(piece(1, 2), 1100).number == 3, "its number is not given again"


def test_restored_pieces_count_as_sent() -> None:
    playback = Playback()
    playback.restore(Sent(4, piece(1, 1, last=True), 500.0))
    assert playback.ends_at_ms == 900
    assert playback.heard({1: "yes"}, {1: 400}, 900) == "yes"
    assert playback.send(piece(2, 1), 600).from_ms == 900


# cuts


def test_a_cut_throws_away_what_has_not_sounded() -> None:
    playback = playing(*whole())
    playback.cut(1500)
    assert [(sent.number, sent.heard_bytes) for sent in playback.sent] == [
        (1, 400 * BYTES_PER_MS),
        (2, 100 * BYTES_PER_MS),
    ]
    assert playback.heard(TWO, WHOLE, 9000) == "one two"
    assert playback.ends_at_ms == 1500
    playback.mark(3)
    assert playback.heard(TWO, WHOLE, 9000) == "one two", "the marks of what was thrown away mean nothing"
    assert playback.all_marked


def test_what_was_marked_before_the_cut_was_heard() -> None:
    playback = playing(*whole())
    playback.mark(2)
    playback.cut(1500)
    assert playback.heard(TWO, WHOLE, 1500) == "one two three four"


def test_after_a_cut_the_rest_is_heard_from_there() -> None:
    playback = playing(*whole())
    playback.cut(1500)
    again = playback.send(piece(1, 2, last=True), 3000, skipped_bytes=60 * BYTES_PER_MS)
    assert (again.number, again.from_ms, again.duration_ms) == (4, 3000, 340)
    playback.send(piece(2, 1, last=True), 3000)
    assert playback.heard_ms(1, 3100) == 560
    assert playback.heard(TWO, WHOLE, 3340) == "one two three four"
    assert playback.heard(TWO, WHOLE, 9000) == "one two three four five six"
    assert [from_ms for from_ms, _ in playback.runs(9000)] == [1000, 3000]


def test_nothing_heard_before_a_cut() -> None:
    playback = playing(*whole())
    playback.cut(900)
    assert playback.sent == []
    assert not playback.has_answered
    assert playback.last_of_answer is None


def test_a_cut_of_before_is_restored() -> None:
    cut, restored = playing(*whole()), playing(*whole())
    cut.cut(1500)
    last = cut.sent[-1]
    restored.restore_cut(last.number, last.heard_bytes or 0, 1500)
    assert restored.sent == cut.sent
    assert restored.ends_at_ms == cut.ends_at_ms
    restored.mark(3)
    assert restored.heard(TWO, WHOLE, 9000) == cut.heard(TWO, WHOLE, 9000)


def test_going_on_at_a_quiet_place() -> None:
    sound = np.full(400 * 16, 1000, dtype="<i2")
    assert good_place(sound.tobytes(), 200 * BYTES_PER_MS) == 200 * BYTES_PER_MS, "no place is better than the cut"
    sound[150 * 16 : 165 * 16] = 10
    place_ms = good_place(sound.tobytes(), 200 * BYTES_PER_MS) / BYTES_PER_MS
    assert place_ms == 150
    assert good_place(sound.tobytes(), 300 * BYTES_PER_MS) == 300 * BYTES_PER_MS, "that is too far back"
    assert good_place(sound.tobytes(), 20) <= 20


@given(st.integers(0, 6400), st.integers(0, 2**32 - 1))
def test_a_good_place_is_never_far_before_the_cut(cut: int, seed: int) -> None:
    pcm = np.random.default_rng(seed).integers(-3000, 3000, 3200, dtype="<i2").tobytes()
    cut &= ~1
    place = good_place(pcm, cut)
    assert max(0, cut - BACK_UP_MS * BYTES_PER_MS) <= place <= cut
    assert place % 2 == 0


@given(
    st.lists(st.lists(st.integers(1, 500), min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.integers(0, 6000), min_size=2, max_size=6),
)
def test_what_was_heard_only_grows_and_ends_with_everything(lengths: list[list[int]], moments: list[int]) -> None:
    texts = {number: f"word{number} and some more of it" for number in range(1, len(lengths) + 1)}
    whole_ms = {number: float(sum(parts)) for number, parts in enumerate(lengths, start=1)}
    playback = Playback()
    for number, parts in enumerate(lengths, start=1):
        for index, part in enumerate(parts, start=1):
            begins_ms = sum(parts[: index - 1])
            playback.send(piece(number, index, part, last=index == len(parts), begins_ms=begins_ms), 1000)
    heard = [playback.heard(texts, whole_ms, 1000 + moment) for moment in sorted(moments)]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(heard))
    assert playback.heard(texts, whole_ms, playback.ends_at_ms) == " ".join(texts.values())


@pytest.mark.parametrize("marked", [[], [1], [1, 2]])
def test_marks_never_take_words_away(marked: list[int]) -> None:
    playback = playing(*whole())
    before = [playback.heard(TWO, WHOLE, now) for now in range(1000, 2000, 50)]
    for number in marked:
        playback.mark(number)
    after = [playback.heard(TWO, WHOLE, now) for now in range(1000, 2000, 50)]
    assert all(more.startswith(less) for less, more in zip(before, after, strict=True))


@given(st.lists(st.integers(1, 700), min_size=1, max_size=5), st.integers(0, 3))
def test_however_often_it_is_cut_nothing_is_left_out(stretches: list[int], back_ms: int) -> None:
    """Each leg begins where the one before was cut, or a little earlier; together they are the sentence."""
    pieces = [piece(1, number, 400, last=number == 4) for number in range(1, 5)]
    playback, now, index, skipped = Playback(), 1000.0, 0, 0
    for stretch in stretches:
        for place in range(index, 4):
            playback.send(pieces[place], now, skipped if place == index else 0)
        now += stretch
        playback.cut(now)
        last = playback.last_of_answer
        assert last is not None
        reached = last.skipped_bytes + (last.heard_bytes or 0)
        index = last.piece.number - 1
        skipped = max(0, reached - back_ms * BYTES_PER_MS)
        if reached == len(last.piece.pcm):
            index, skipped = index + 1, 0
        heard_ms = playback.heard_ms(1, now)
        assert heard_ms <= min(1600, sum(stretches))
        if index == 4:
            assert heard_ms == 1600
            break
    assert playback.heard({1: "a b c d"}, {1: 1600}, now) == " ".join(
        ["a", "b", "c", "d"][: int(heard_ms / 400 + 1e-6)]
    )
