"""Whether a tenant may spend more today, asked in every turn and looked up now and then."""

from __future__ import annotations

import asyncio
import logging

from shared.domain.errors import StoreError
from shared.ports.clock import Clock
from shared.ports.model_usage import ModelUsages

logger = logging.getLogger(__name__)

_KNOWN_FOR_MS = 15_000
_ASKED_WITHIN_S = 1.0


class SpendGuard:
    """What has been found holds for a while. Where nobody knows, a call goes on: a store that is slow ends none."""

    def __init__(self, usages: ModelUsages, clock: Clock) -> None:
        self._usages = usages
        self._clock = clock
        self._known: dict[str, tuple[float, bool]] = {}

    async def is_spent(self, tenant_id: str) -> bool:
        at_ms, spent = self._known.get(tenant_id, (float("-inf"), False))
        now_ms = self._clock.now_ms()
        if now_ms - at_ms < _KNOWN_FOR_MS:
            return spent
        try:
            async with asyncio.timeout(_ASKED_WITHIN_S):
                spent = await self._usages.is_spent(tenant_id, self._clock.now().date())
        except (StoreError, TimeoutError) as error:
            logger.warning("what may be spent is not known: %s", type(error).__name__)
            spent = False
        self._known[tenant_id] = (now_ms, spent)
        return spent
