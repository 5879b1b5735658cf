"""Takes and orders travel through pipes: what is written is read, at positions that only grow."""

from __future__ import annotations

import pytest

from shared.domain import interruption, takes
from shared.domain.interruption import Hold, Order, Resume, Stop
from shared.domain.takes import Ended, Failed, Final, TakeEvent, Tentative, Withdrawn


def _bytes(fields: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in fields.items()}


def _place(position: str) -> tuple[int, int]:
    first, _, second = position.partition("-")
    return int(first), int(second)


@pytest.mark.parametrize(
    "event",
    [Tentative(1, "नमस्ते"), Tentative(2, ""), Withdrawn(3), Final(4, "All of it."), Failed(5), Ended()],
    ids=repr,
)
def test_a_take_is_read_as_it_was_written(event: TakeEvent) -> None:
    position, fields = takes.written(event)
    assert takes.read(position, _bytes(fields)) == event


def test_a_turn_s_takes_stand_in_order() -> None:
    course = [Tentative(1, "a"), Withdrawn(1), Tentative(2, "b"), Final(2, "b")]
    places = [_place(takes.written(event)[0]) for event in [*course, Ended()]]
    assert places == sorted(set(places))
    assert _place(takes.written(Failed(2))[0]) == _place(takes.written(Final(2, ""))[0]), "only one of them counts"


def test_the_sentences_of_a_take_stand_before_those_of_the_next() -> None:
    positions = [
        takes.sentence_position(1, 1),
        takes.sentence_position(1, 30),
        takes.answer_end_position(1),
        takes.sentence_position(2, 1),
    ]
    places = [takes.place(position) for position in positions]
    assert places == sorted(set(places))
    assert places[1] == (1, 30)


@pytest.mark.parametrize(
    "order", [Hold(1, 1_700_000_000_123.25), Resume(1), Stop(5.5), Stop(5.5, ""), Stop(1.0, "Sure, w")], ids=repr
)
def test_an_order_is_read_as_it_was_written(order: Order) -> None:
    position, fields = interruption.written(order)
    assert interruption.read(position, _bytes(fields)) == order


def test_orders_stand_in_order() -> None:
    course: list[Order] = [Hold(1, 1.0), Resume(1), Hold(2, 2.0), Stop(3.0)]
    places = [_place(interruption.written(order)[0]) for order in course]
    assert places == sorted(set(places))
