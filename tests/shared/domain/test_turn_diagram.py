"""The diagram of turn-taking in the documentation."""

from __future__ import annotations

from benchmarks.conversations.diagram import DOCUMENT, diagram, drawn_into
from shared.domain.turn_taking import TRANSITIONS, Hearing


def test_the_document_shows_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert drawn_into(text) == text, "python -m benchmarks.conversations.diagram"


def test_the_diagram_has_every_move() -> None:
    drawn = diagram()
    moves = {(state, target) for (state, _), rule in TRANSITIONS.items() for target in rule.leads_to}
    for state, target in moves:
        assert (f"{state} --> {target}: " in drawn) == (state is not target)
    assert f"{Hearing.ENDED} --> [*]" in drawn
