"""Tries again within an activity what may succeed later.

A turn races its steps against a timer that it cancels; on Azure such an orchestration must not use the engine's own
retries: the timers they make shift the order of its actions when it is replayed, and it fails as non-deterministic.
Source: TimerTask and retries in https://github.com/Azure/azure-functions-durable-extension
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.domain.errors import VoiceAgentError

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


async def retried(
    what: str, deed: Callable[[], Awaitable[_T]], *, attempts: int, pause_s: float, longest_pause_s: float = 0.0
) -> _T:
    """The deed's result. The pauses double up to `longest_pause_s`, if that is longer.

    Raises: what its last attempt raised, or what trying again cannot mend.
    """
    for _ in range(attempts - 1):
        try:
            return await deed()
        except VoiceAgentError as error:
            if not error.retryable:
                raise
            logger.warning("%s failed, trying again: %s", what, error)
            await asyncio.sleep(pause_s)
            pause_s = max(pause_s, min(2 * pause_s, longest_pause_s))
    return await deed()
