"""The timer closes what is forgotten; a store that is away is asked next time."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from functions.durable_calls import DurableCalls
from functions.timers import unreported_calls
from shared.domain.errors import StoreError
from tests.functions.conftest import Installer, user_function


@pytest.mark.parametrize("outcome", [0, 2, StoreError("database_unavailable", "away", retryable=True)])
async def test_the_round(install: Installer, caplog: pytest.LogCaptureFixture, outcome: int | StoreError) -> None:
    asked: list[Any] = []

    async def close_unreported(orchestrations: Any) -> int:
        asked.append(orchestrations)
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    async def end_overdue() -> None:
        asked.append("overdue")

    calling = SimpleNamespace(close_unreported=close_unreported, end_overdue=end_overdue)
    install(unreported_calls, calling=calling)
    with caplog.at_level(logging.INFO):
        await user_function(unreported_calls.close_unreported_calls)(None, "a client")
    assert [type(one) for one in asked] == [str, DurableCalls]
    assert len(caplog.records) == bool(outcome)
