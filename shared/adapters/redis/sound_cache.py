"""Synthesised sound for an hour or so, for all workers, in a bounded part of the memory."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from hiredis import ReplyError

from shared.adapters.redis.connection import RedisConnection
from shared.adapters.redis.wire import pack
from shared.domain.errors import StoreError

logger = logging.getLogger(__name__)

_LIFETIME_S = 3600
_LONGEST_BYTES = 10 * 16_000 * 2
"""Ten seconds of PCM16 at 16 kHz."""
_ENTRIES_KEPT = 300
"""At most 96 MB, a third of that as sentences usually are. The pipes live in the same memory, and nothing of it may
be evicted (`infra/bicep/modules/cache.bicep`)."""
_ANSWER_WITHIN_S = 0.15
"""Synthesising anew begins to be as quick."""
_NEWEST = "sound:newest"
"""When each entry was used last; what is not used for long makes room."""


class RedisSoundCache:
    """Fills the port `SoundCache`; here `lasting` sound lasts no longer than other sound."""

    def __init__(
        self,
        commands: RedisConnection,
        *,
        lifetime_s: float = _LIFETIME_S,
        longest_bytes: int = _LONGEST_BYTES,
        entries_kept: int = _ENTRIES_KEPT,
        answer_within_s: float = _ANSWER_WITHIN_S,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._commands = commands
        self._lifetime_ms = round(lifetime_s * 1000)
        self._longest_bytes = longest_bytes
        self._entries_kept = entries_kept
        self._answer_within_s = answer_within_s
        self._now_s = now_s
        self._away = False

    async def get(self, key: str) -> bytes | None:
        try:
            async with asyncio.timeout(self._answer_within_s):
                found, _ = await self._all(
                    pack(("GETEX", _key(key), "PX", self._lifetime_ms)),
                    pack(("ZADD", _NEWEST, "XX", self._now_s(), _key(key))),
                )
        except (StoreError, TimeoutError) as error:
            self._note_away(error)
            return None
        pcm: bytes | None = found
        return pcm

    async def put(self, key: str, pcm: bytes, *, lasting: bool) -> None:
        """Empty sound, and sound of more than `longest_bytes`, is not kept."""
        del lasting
        if not 0 < len(pcm) <= self._longest_bytes:
            return
        try:
            *_, entries = await self._all(
                pack(("SET", _key(key), pcm, "PX", self._lifetime_ms)),
                pack(("ZADD", _NEWEST, self._now_s(), _key(key))),
                pack(("PEXPIRE", _NEWEST, self._lifetime_ms)),
                pack(("ZCARD", _NEWEST)),
            )
            if entries > self._entries_kept:
                (popped,) = await self._all(pack(("ZPOPMIN", _NEWEST, entries - self._entries_kept)))
                await self._all(pack(("UNLINK", *popped[::2])))
        except StoreError as error:
            self._note_away(error)

    async def _all(self, *commands: bytes) -> list[Any]:
        """Raises: StoreError, also where Redis refuses one of them."""
        replies = await self._commands.ask_all("sound cache", commands)
        for reply in replies:
            if isinstance(reply, ReplyError):
                raise StoreError("redis_refused", f"sound cache: {reply}")
        self._away = False
        return replies

    def _note_away(self, error: Exception) -> None:
        if not self._away:
            logger.warning("sound is not cached: %s", error or "no answer in time")
        self._away = True


def _key(key: str) -> str:
    return f"sound:{key}"
