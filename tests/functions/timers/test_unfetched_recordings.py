"""The timer takes up what is forgotten; a store that is away is asked next time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.durable_calls import DurableCalls
from functions.timers import unfetched_recordings
from shared.domain.errors import StoreError
from tests.fakes.clock import FakeClock
from tests.functions.conftest import Installer, user_function


@pytest.mark.parametrize("error", [None, StoreError("database_unavailable", "away", retryable=True)])
async def test_the_round(install: Installer, caplog: pytest.LogCaptureFixture, error: StoreError | None) -> None:
    asked: list[tuple[type, datetime]] = []

    async def take_up(orchestrations: Any, *, before: datetime) -> None:
        asked.append((type(orchestrations), before))
        if error is not None:
            raise error

    clock = FakeClock()
    calling = SimpleNamespace(fetch_recording=SimpleNamespace(take_up=take_up))
    install(unfetched_recordings, calling=calling, clock=clock)
    with caplog.at_level(logging.INFO):
        await user_function(unfetched_recordings.take_up_recordings)(None, "a client")
    ((orchestrations, before),) = asked
    assert orchestrations is DurableCalls
    assert timedelta(minutes=10) <= clock.now() - before < timedelta(minutes=11)
    assert len(caplog.records) == (error is not None)
