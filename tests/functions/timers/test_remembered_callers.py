"""Every hour callers are forgotten in time; a store that is away is asked next time."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from functions.timers import remembered_callers
from shared.domain.errors import StoreError
from tests.functions.conftest import Installer, user_function


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(0, []), (3, ["3 callers forgotten"]), (StoreError("away", "x"), ["callers are forgotten next time: away: x"])],
)
async def test_the_round(
    install: Installer, caplog: pytest.LogCaptureFixture, outcome: int | StoreError, said: list[str]
) -> None:
    async def forget_old() -> int:
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    install(remembered_callers, understanding=SimpleNamespace(remember=SimpleNamespace(forget_old=forget_old)))
    with caplog.at_level(logging.INFO):
        await user_function(remembered_callers.forget_callers)(None)
    assert caplog.messages == said
