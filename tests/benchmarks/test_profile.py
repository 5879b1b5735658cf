"""A profile read from folded stacks."""

from __future__ import annotations

from benchmarks.measuring.profile import read_stacks


def test_own_time_is_of_the_last_frame_and_whole_time_of_every_frame_once() -> None:
    profile = read_stacks(
        ['process 7:"app";main (a.py:1);loop (b.py:2);send (c.py:3) 6', "main (a.py:1);loop (b.py:2) 2", "", "odd"]
    )
    assert profile.samples == 8
    assert profile.own == {"send (c.py:3)": 6, "loop (b.py:2)": 2}
    assert profile.whole["main (a.py:1)"] == 8
    text = profile.to_text("the app")
    assert text.splitlines()[:2] == ["the app", "8 samples"]
    assert "  75.0%  send (c.py:3)" in text
