"""Tables and result files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.measuring import report


def test_columns_of_a_table_are_in_line() -> None:
    lines = report.table(["what", "ms"], [["a", 1.25], ["longer", 1234.5], ["none", None]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].startswith("| ------ | ")
    assert lines[1].endswith("-: |")
    assert [line.split("|")[2].strip() for line in lines[2:]] == ["1.2", "1234", "–"]


def test_a_result_says_when_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    kept = json.loads(report.keep("some", {"figure": 1}).read_text())
    assert kept["figure"] == 1
    assert kept["machine"]["cores"] > 0
    assert kept["measured_at"].endswith("Z")
