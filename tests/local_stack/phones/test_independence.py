"""The simulator bears witness against the app only as long as it shares no code with it."""

from __future__ import annotations

import ast
from pathlib import Path

import local_stack.phones

FOLDER = Path(local_stack.phones.__file__).parent


def imported_modules(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_nothing_of_the_app_or_of_another_part_is_imported() -> None:
    files = sorted(FOLDER.rglob("*.py"))
    assert len(files) > 30
    for path in files:
        ours = {
            name for name in imported_modules(path) if name.split(".")[0] in ("shared", "functions", "local_stack")
        }
        assert {name for name in ours if not name.startswith("local_stack.phones")} == set(), path
