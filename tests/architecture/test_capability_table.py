"""The README's table of capabilities is what the tests have proved, and each proof is a test that there is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shared.domain.telephony.lines import CAPABILITIES, Line
from tests import capability_table
from tests.end_to_end import capabilities

FOLDER = Path(capabilities.__file__).parent


def _tests_of(module: str) -> set[str]:
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)}


def test_the_readme_has_the_table_as_it_is() -> None:
    document = capability_table.README.read_text(encoding="utf-8")
    assert capability_table.with_table(document) == document, "run python -m tests.capability_table"


def test_what_is_kept_is_what_a_whole_run_proves() -> None:
    assert capabilities.kept() == capabilities.expected(), "run tests/end_to_end/test_lines.py"


def test_each_proof_is_a_test() -> None:
    for test, proof in capabilities.PROVES.items():
        assert test in _tests_of(proof.module)


def test_each_capability_of_each_line_has_a_proof() -> None:
    proved = capabilities.expected()
    assert [
        (line, able - proved[line].keys()) for line, able in CAPABILITIES.items() if able - proved[line].keys()
    ] == []


def test_a_run_is_whole_only_with_every_test_on_every_line() -> None:
    proofs = capabilities.Proofs()
    passes = [(test, line) for test, proof in capabilities.PROVES.items() for line in proof.lines if proof.on(line)]
    for test, line in passes:
        assert not proofs.are_whole
        proofs.add(test, line)
    assert proofs.are_whole


def test_what_is_missing_is_marked_with_what_to_do_instead() -> None:
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in capability_table.table({}).splitlines()}
    columns = rows["warm transfer"].strip("| ").split(" | ")[1:]
    assert columns[list(Line).index(Line.TWILIO)] == capability_table.TESTED
    assert columns[list(Line).index(Line.SARVAM)].startswith(capability_table.MISSING)
    assert "a cold transfer, by the Samvaad agent's own tool" in capability_table.table({})


@pytest.mark.parametrize("document", ["", f"{capability_table.BEGIN} without an end", capability_table.END])
def test_a_document_without_markers_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="once"):
        capability_table.with_table(document)
