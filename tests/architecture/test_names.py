"""The house stays readable: small files, short functions, honest names, and no package that hides another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
HOUSES = ("shared", "functions", "local_stack", "infra", "benchmarks", "tests")
SHIPPED = ("shared", "functions")
_EVASIVE = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc|base|stuff)(_|$)")
_MAX_LINES = 400
_MAX_FUNCTION_LINES = 60


def modules(*houses: str) -> Iterator[Path]:
    for house in houses:
        for path in sorted((CHECKOUT / house).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path


def relative(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def test_there_is_something_to_look_at() -> None:
    assert len(list(modules(*SHIPPED))) > 80


def test_no_name_hides_what_a_module_is_for() -> None:
    parts = {part for path in modules(*HOUSES) for part in path.relative_to(CHECKOUT).with_suffix("").parts}
    assert not {part for part in parts if _EVASIVE.search(part)}
    assert _EVASIVE.search("call_manager"), "the pattern finds what it is for"
    assert not _EVASIVE.search("baseline")


def test_files_are_at_most_so_long() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in modules(*HOUSES)}
    assert {name: length for name, length in lengths.items() if length > _MAX_LINES} == {}


def test_functions_fit_a_screen() -> None:
    long = {}
    for path in modules("shared", "functions", "local_stack", "infra"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > _MAX_FUNCTION_LINES:
                    long[f"{relative(path)}:{node.name}"] = lines
    assert long == {}


def test_every_module_says_why_it_exists() -> None:
    silent = [relative(path) for path in modules(*SHIPPED) if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_every_folder_of_tests_is_a_package() -> None:
    """Otherwise `tests/shared` would hide `shared`."""
    folders = {path.parent for path in modules("tests") if "apps" not in path.parts}  # apps are roots of their own
    nested = {
        parent for folder in folders for parent in folder.parents if CHECKOUT / "tests" in (parent, *parent.parents)
    }
    assert [relative(folder) for folder in sorted(folders | nested) if not (folder / "__init__.py").exists()] == []


def test_no_installed_distribution_ships_a_package_of_our_names() -> None:
    """On Azure it would stand before ours."""
    installed = packages_distributions()
    ours = {*HOUSES, "function_app"} - {"tests"}  # tests never ship, and run from the checkout
    assert {name: installed[name] for name in ours if name in installed} == {}


@pytest.mark.parametrize("house", SHIPPED)
def test_what_ships_leaves_nothing_undone(house: str) -> None:
    undone = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b|except[^:\n]*:\s*\n\s*pass\b")
    found = [relative(path) for path in modules(house) if undone.search(path.read_text())]
    assert found == []
