"""Whether every part that a call needs is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from shared.domain.errors import VoiceAgentError

_DEADLINE_S = 5.0
_HOLDS_S = 1.0


class CheckHealth:
    """`parts` maps a part's name to its check, which raises VoiceAgentError when it is down.

    Anybody may ask, as often as they like, and the parts are spared: an answer holds for a second, and who asks while
    they are being asked waits for the same answer.
    """

    def __init__(self, parts: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        self._parts = parts
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._holds_until_s = 0.0

    async def __call__(self) -> dict[str, str]:
        """`ok`, or the code of what is wrong, for each part; all are asked at once."""
        loop = asyncio.get_running_loop()
        asking = self._asking
        if asking is None or asking.get_loop() is not loop or (asking.done() and self._is_old(asking, loop.time())):
            self._asking = asking = asyncio.create_task(self._ask_all(), name="health")
        return dict(await asyncio.shield(asking))  # one who goes away takes the answer from nobody

    def _is_old(self, asked: asyncio.Task[dict[str, str]], now_s: float) -> bool:
        return asked.cancelled() or asked.exception() is not None or now_s >= self._holds_until_s

    async def _ask_all(self) -> dict[str, str]:
        answers = await asyncio.gather(*(self._ask(check) for check in self._parts.values()))
        self._holds_until_s = asyncio.get_running_loop().time() + _HOLDS_S
        return dict(zip(self._parts, answers, strict=True))

    async def _ask(self, check: Callable[[], Awaitable[None]]) -> str:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                await check()
        except VoiceAgentError as error:
            return error.code
        except TimeoutError:
            return "no_answer"
        return "ok"
