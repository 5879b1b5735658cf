"""A flow that cannot be imported is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_stack.phones.connect.flow import BadFlow, read_flow
from tests.local_stack.phones.connect.connecting import ACCOUNT

GOOD = {"Identifier": "End", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}


def written(folder: Path, *actions: Any, start: str = "End", version: str = "2019-10-30") -> Path:
    path = folder / "flow.json"
    path.write_text(json.dumps({"Version": version, "StartAction": start, "Actions": actions}))
    return path


def test_the_flow_that_ships() -> None:
    assert read_flow(ACCOUNT.flow_file).start == "Log"


@pytest.mark.parametrize(
    ("actions", "changes"),
    [
        ([], {}),
        ([GOOD, GOOD], {}),
        ([GOOD | {"Identifier": "a:b"}], {"start": "a:b"}),
        ([GOOD | {"Identifier": "x" * 51}], {"start": "x" * 51}),
        ([GOOD | {"Transitions": {"NextAction": "nowhere"}}], {}),
        ([GOOD], {"start": "nowhere"}),
        ([GOOD], {"version": "1"}),
        ([5], {}),
        ([{}], {}),
    ],
)
def test_what_is_no_flow(tmp_path: Path, actions: list[Any], changes: dict[str, str]) -> None:
    with pytest.raises(BadFlow):
        read_flow(written(tmp_path, *actions, **changes))


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text("{")
    with pytest.raises(BadFlow):
        read_flow(path)
