"""Whether every part that a call needs is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from shared.domain.errors import VoiceAgentError

_DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """`parts` maps a part's name to its check, which raises VoiceAgentError when it is down."""

    parts: Mapping[str, Callable[[], Awaitable[None]]]

    async def __call__(self) -> dict[str, str]:
        """`ok`, or the code of what is wrong, for each part; all are asked at once."""
        answers = await asyncio.gather(*(self._ask(check) for check in self.parts.values()))
        return dict(zip(self.parts, answers, strict=True))

    async def _ask(self, check: Callable[[], Awaitable[None]]) -> str:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                await check()
        except VoiceAgentError as error:
            return error.code
        except TimeoutError:
            return "no_answer"
        return "ok"
