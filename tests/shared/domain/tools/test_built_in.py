"""When a call back is due, by what a model says of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.errors import ToolError
from shared.domain.tools.arguments import check_schema
from shared.domain.tools.built_in import FORMS, due_at, identifier

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "due"),
    [
        ({"in_minutes": 30}, datetime(2026, 11, 23, 12, 30, tzinfo=UTC)),
        ({"at": "2026-11-24T09:00"}, datetime(2026, 11, 24, 3, 30, tzinfo=UTC)),
        ({"at": "2026-11-24T09:00+01:00"}, datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
    ],
)
def test_times_are_those_of_the_tenant(arguments: dict[str, Any], due: datetime) -> None:
    assert due_at(arguments, NOW, "Asia/Kolkata") == due


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"in_minutes": 5, "at": "2026-11-24T09:00"},
        {"at": "tomorrow"},
        {"at": "2026-11-22T09:00"},
        {"at": "2027-11-22"},
        {"at": "0001-01-01T00:00"},
    ],
)
def test_times_that_cannot_be_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError):
        due_at(arguments, NOW, "Asia/Kolkata")


def test_what_a_model_may_say_has_a_schema() -> None:
    for form in FORMS.values():
        check_schema(form.parameters)
    assert identifier("a") == identifier("a") != identifier("b")
