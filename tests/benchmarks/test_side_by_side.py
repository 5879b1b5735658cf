"""Two sides in one table."""

from __future__ import annotations

import pytest

from benchmarks.calls.placing import Placed, Wish
from benchmarks.measuring.usage import Usage
from benchmarks.side_by_side import Side, further_mb, show
from local_stack.phones.measures import Turn


def _placed(response_ms: float) -> Placed:
    received_ms = 3000.0 + response_ms
    turn = Turn(1, speech_started_ms=1000.0, speech_ended_ms=3000.0, first_received_ms=received_ms,
                first_heard_ms=received_ms + 10)  # fmt: skip
    return Placed([Turn(0), turn], (), 1.0, 10.0, {"turns": []})


def _side(title: str, part: str, response_ms: float, mb: float) -> Side:
    side = Side(title, 200)
    for calls in (1, 5):
        for _round in range(2):
            usage = Usage({part: 100.0 * calls}, {part: mb * calls}, {part: mb})
            side.add(calls, [_placed(response_ms)] * calls, usage)
    return side


def test_rounds_of_a_load_count_together() -> None:
    load = _side("ours", "app", 560, 10).load(Wish(5, 1))
    assert (load.turns, load.unanswered, load.call_seconds) == (10, 0, 100.0)
    assert load.at_wire is not None
    assert load.at_wire.count == 10
    assert load.cpu_ms_per_call_s == {"app": 10.0}


def test_memory_of_a_further_call_is_the_slope_of_the_peaks() -> None:
    assert further_mb(_side("ours", "app", 560, 10), [Wish(1, 1), Wish(5, 1)]) == pytest.approx(10.0)


def test_both_stand_beside_each_other_at_every_load() -> None:
    ours, theirs = _side("ours", "app", 560, 10), _side("theirs", "server", 1026, 50)
    ours.starts_ms, theirs.starts_ms = [900.0], [1650.0]
    text = show(ours, theirs, [Wish(1, 1), Wish(5, 1)])
    head = text.splitlines()[0]
    assert [name in head for name in ("ours, 1", "theirs, 1", "ours, 5", "theirs, 5")] == [True] * 4
    assert "560/560/560" in text
    assert "1026/1026/1026" in text
    assert "1650" in text
