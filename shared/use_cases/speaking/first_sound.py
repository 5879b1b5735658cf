"""Who watches over a turn's silence is told when it is broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shared.domain.steps import TurnRequest

logger = logging.getLogger(__name__)

_TOLD_WITHIN_S = 5.0


class FirstSound:
    """Tells once that the caller hears something, or that nothing is to be heard."""

    def __init__(self, request: TurnRequest, tell: Callable[[], Awaitable[None]] | None) -> None:
        self._request = request
        self._deed = tell
        self._telling: asyncio.Task[None] | None = None

    def tell(self) -> None:
        if self._deed is not None and self._telling is None:
            self._telling = asyncio.create_task(self._tell(self._deed), name="first sound")

    async def close(self) -> None:
        self.tell()
        if self._telling is not None:
            await self._telling

    async def _tell(self, deed: Callable[[], Awaitable[None]]) -> None:
        what = f"call {self._request.call_id} turn {self._request.turn}: that it is answered was not told"
        try:
            async with asyncio.timeout(_TOLD_WITHIN_S):
                await deed()
        except Exception as error:  # noqa: BLE001 - the answer goes on, whoever does not hear of it
            logger.warning("%s: %s", what, type(error).__name__)
