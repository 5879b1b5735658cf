"""Keeps what answers cost, beside the conversation, which never waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from shared.domain.errors import StoreError
from shared.domain.prices import Price, price_of
from shared.ports.clock import Clock
from shared.ports.language_model import Usage
from shared.ports.model_usage import ModelUsage, ModelUsages

logger = logging.getLogger(__name__)


class KeepUsage:
    """`prices`: see `prices_of`. What cannot be kept is a line in the log."""

    def __init__(self, usages: ModelUsages, prices: Mapping[str, Price], clock: Clock) -> None:
        self._usages = usages
        self._prices = prices
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, tenant_id: str, used: Sequence[Usage]) -> None:
        """To the day that it is now, in UTC; written in the background."""
        if used:
            task = asyncio.create_task(self._keep(tenant_id, used), name="keep usage")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _keep(self, tenant_id: str, used: Sequence[Usage]) -> None:
        try:
            await self._usages.add(tenant_id, self._clock.now().date(), [self._priced(each) for each in used])
        except StoreError as error:
            logger.warning("what %d answers cost is not kept: %s", len(used), error.code)

    def _priced(self, used: Usage) -> ModelUsage:
        counted = (used.input_tokens, used.output_tokens)
        cost = price_of(self._prices, used.provider, used.model).microcents(*counted)
        return ModelUsage(used.provider, used.model, 1, *counted, cost)
