"""Every minute what is due is placed, every hour what is old forgotten; a store that is away is asked next time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.durable_calls import DurableCalls
from functions.timers import promised_calls
from shared.domain.errors import StoreError
from tests.fakes.clock import FakeClock
from tests.functions.conftest import Installer, user_function

AWAY = StoreError("database_unavailable", "away", retryable=True)


@pytest.mark.parametrize("error", [None, AWAY])
async def test_the_round(install: Installer, caplog: pytest.LogCaptureFixture, error: StoreError | None) -> None:
    asked: list[type] = []

    async def place(orchestrations: Any) -> int:
        asked.append(type(orchestrations))
        if error is not None:
            raise error
        return 0

    install(promised_calls, tooling=SimpleNamespace(place_callbacks=place))
    with caplog.at_level(logging.INFO):
        await user_function(promised_calls.place_promised_calls)(None, "a client")
    assert asked == [DurableCalls]
    assert len(caplog.records) == (error is not None)


@pytest.mark.parametrize("error", [None, AWAY])
async def test_the_sweep(install: Installer, caplog: pytest.LogCaptureFixture, error: StoreError | None) -> None:
    asked: list[datetime] = []
    clock = FakeClock()

    async def sweep(before: datetime) -> int:
        asked.append(before)
        if error is not None:
            raise error
        return 1

    install(promised_calls, tooling=SimpleNamespace(ledger=SimpleNamespace(sweep=sweep)), clock=clock)
    with caplog.at_level(logging.INFO):
        await user_function(promised_calls.sweep_tool_calls)(None)
    (before,) = asked
    assert timedelta(hours=23) < clock.now() - before < timedelta(hours=25)
    assert len(caplog.records) == (error is not None)
