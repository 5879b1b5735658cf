"""One stack with models for all end-to-end tests, one with scripted services for those that need exact ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.domain.telephony.lines import Line
from tests.end_to_end.capabilities import Proofs
from tests.end_to_end.stack import Stack
from tests.end_to_end.typed_calls import ACME, TOOL_SECRET

SETTINGS = {
    "TOOL_SECRETS": json.dumps({ACME: {"company": TOOL_SECRET}}),
    "MODEL_PRICES": json.dumps({"costly": {"input": 1_000_000, "output": 1_000_000}}),
}
"""A token of the costly model costs a cent."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs the stack with real models."""
    for item in items:
        shared = getattr(item, "_fixtureinfo", None)
        found = shared.name2fixturedefs.get("stack", ()) if shared is not None else ()
        if any(fixture.scope == "session" for fixture in found[-1:]):
            item.add_marker(pytest.mark.real_models)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from _running(tmp_path_factory, scripted=False)


@pytest.fixture(scope="session")
def scripted_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from _running(tmp_path_factory, scripted=True)


def _running(folders: pytest.TempPathFactory, *, scripted: bool) -> Iterator[Stack]:
    started = Stack.start(folders.mktemp("stack") / "state", scripted=scripted, settings=SETTINGS)
    try:
        started.seed(Path(__file__).with_name("seed.json"))
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def operator(stack: Stack) -> str:
    """An operator's token."""
    return stack.token("operator")


@pytest.fixture(scope="session")
def scripted_operator(scripted_stack: Stack) -> str:
    """An operator's token for the stack with scripted services."""
    return scripted_stack.token("operator")


@pytest.fixture(scope="session")
def proofs() -> Iterator[Proofs]:
    """Kept when every test that proves something has passed, in whichever file it stands."""
    found = Proofs()
    yield found
    if found.are_whole:
        found.keep()


@pytest.fixture
def proved(request: pytest.FixtureRequest, proofs: Proofs, line: Line) -> Callable[[], None]:
    """A test's last deed: nothing of it has failed on this `line`, a parameter of the test."""
    return lambda: proofs.add(request.node.originalname, line)
