"""When something is done about an answer that does not come."""

from __future__ import annotations

import math

from shared.domain.lateness import Lateness
from shared.domain.manner import Manner

MANNER = Manner(filler_after_ms=1_500, reply_limit_ms=8_000)


def waiting(manner: Manner = MANNER, *, fills: bool = True) -> Lateness:
    lateness = Lateness(manner, fills=fills)
    lateness.begin(1_000)
    return lateness


def test_a_filler_and_then_the_limit() -> None:
    assert (waiting().filler_at_ms(0), waiting().limit_at_ms(0)) == (2_500, 9_000)


def test_a_second_filler_is_counted_from_the_end_of_the_first() -> None:
    lateness = waiting()
    lateness.filled()
    assert lateness.filler_at_ms(3_200) == 4_700
    assert lateness.limit_at_ms(3_200) == 9_000, "but the answer is no less late for it"
    lateness.filled()
    assert lateness.filler_at_ms(6_000) == math.inf


def test_a_filler_is_not_cut_off() -> None:
    assert waiting().limit_at_ms(9_300) == 9_300


def test_after_some_of_the_answer_all_begins_anew() -> None:
    lateness = waiting()
    lateness.filled()
    lateness.filled()
    lateness.begin(7_000)
    assert (lateness.filler_at_ms(7_000), lateness.limit_at_ms(7_000)) == (8_500, 15_000)


def test_fillers_can_be_switched_off() -> None:
    assert waiting(Manner(filler_after_ms=0)).filler_at_ms(0) == math.inf
    assert waiting(fills=False).filler_at_ms(0) == math.inf
