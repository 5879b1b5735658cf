"""Tool calls that come in pieces are whole in the end, however a provider cuts and counts them."""

from __future__ import annotations

import pytest

from shared.domain.tool_call_pieces import ToolCallPieces

Piece = tuple[int | None, str, str, str]


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([], []),
        ([(0, "a", "look_up", ""), (0, "", "", '{"n"'), (0, "", "", ": 1}")], [("a", "look_up", '{"n": 1}')]),
        ([(1, "b", "two", "{}"), (0, "a", "one", "{}")], [("a", "one", "{}"), ("b", "two", "{}")]),
        (
            [(None, "a", "one", "{"), (None, "", "", "}"), (None, "b", "two", "")],
            [("a", "one", "{}"), ("b", "two", "")],
        ),
        ([(0, "", "one", "{}"), (1, "", "two", "{}")], [("call_1", "one", "{}"), ("call_2", "two", "{}")]),
        ([(0, "a", "one", "{}"), (1, "a", "two", "{}")], [("a", "one", "{}"), ("call_2", "two", "{}")]),
        ([(0, "a", "", "{}")], []),
    ],
)
def test_pieces_are_joined(pieces: list[Piece], calls: list[tuple[str, str, str]]) -> None:
    joined = ToolCallPieces()
    for piece in pieces:
        joined.add(*piece)
    assert joined.calls() == calls


def test_a_model_that_does_not_end_is_not_followed() -> None:
    joined = ToolCallPieces()
    with pytest.raises(ValueError, match="more tool calls"):
        for _ in range(100):
            joined.add(0, "a", "one", "x" * 1_000)
    with pytest.raises(ValueError, match="more tool calls"):
        for index in range(100):
            joined.add(index, "", "one", "")
