"""Renders the README's table of what each line can do, and what of it a test from end to end has proved.

`python -m tests.capability_table` puts it between the README's markers.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from shared.domain.telephony.lines import CAPABILITIES, Capability, Line, Unsupported
from tests.end_to_end.capabilities import kept

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- capabilities -->", "<!-- /capabilities -->"
PROVED, TESTED, MISSING = "✓", "○", "–"
LEGEND = (
    f"{PROVED} proved from end to end by `tests/end_to_end`, with the real local models (the language switch by a "
    f"script: they hear English only) · {TESTED} proved by unit and contract tests · {MISSING} the line has it not; "
    "a number names what to do instead."
)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Proved = Mapping[Line, Mapping[Capability, str]]


def table(proved: Proved) -> str:
    """In Markdown: a row a capability, a column a line, and below what to do where one is missing."""
    notes: dict[str, int] = {}
    rows = [["", *(f"`{line}`" for line in Line)], ["---", *(":-:" for _ in Line)]]
    for capability in Capability:
        rows.append([str(capability), *(_mark(line, capability, proved, notes) for line in Line)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    instead = [f"{_raised(number)} {note}" for note, number in notes.items()]
    return "\n".join([*lines, "", LEGEND, "", "Instead: " + " · ".join(instead) + "."])


def _mark(line: Line, capability: Capability, proved: Proved, notes: dict[str, int]) -> str:
    if capability in CAPABILITIES[line]:
        return PROVED if capability in proved.get(line, {}) else TESTED
    alternative = Unsupported(line, capability).alternative
    if not alternative:
        return MISSING
    return MISSING + _raised(notes.setdefault(alternative, len(notes) + 1))


def _raised(number: int) -> str:
    return str(number).translate(_RAISED)


def with_table(document: str) -> str:
    """The document with the table between its markers. Raises: ValueError where they are not there once each."""
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"{BEGIN} and {END} must each stand once in it")
    before, rest = document.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table(kept())}\n{END}{after}"


def main() -> None:
    try:
        README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    except ValueError as error:
        sys.exit(f"{README.name}: {error}")


if __name__ == "__main__":
    main()
