"""One stack for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack.start(tmp_path_factory.mktemp("stack") / "state")
    try:
        started.seed(Path(__file__).with_name("seed.json"))
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def operator(stack: Stack) -> str:
    """An operator's token."""
    return stack.token("operator")
