"""Caches of sound, one behind the other: this process's memory, then what workers share, then what lasts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from shared.ports.sound_cache import SoundCache

_MEMORY_BYTES = 16 * 2**20


class MemorySoundCache:
    """Fills the port `SoundCache` within the process: lasting sound only, the least used forgotten first."""

    def __init__(self, limit_bytes: int = _MEMORY_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._sounds: OrderedDict[str, bytes] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        if key in self._sounds:
            self._sounds.move_to_end(key)
        return self._sounds.get(key)

    async def put(self, key: str, pcm: bytes, *, lasting: bool) -> None:
        if not lasting:
            return
        self._held_bytes += len(pcm) - len(self._sounds.pop(key, b""))
        self._sounds[key] = pcm
        while self._held_bytes > self._limit_bytes:
            self._held_bytes -= len(self._sounds.popitem(last=False)[1])


@dataclass(frozen=True, slots=True)
class Stage:
    """`within_s`: what takes longer to be found there is not there."""

    cache: SoundCache
    within_s: float


class JoinedSoundCache:
    """Fills the port `SoundCache`: asks the nearest stage first. What a later one has is put into those before it,
    as lasting if `lasting_hits`: where only lasting sound is asked for.
    """

    def __init__(self, stages: Sequence[Stage], *, lasting_hits: bool) -> None:
        self._stages = tuple(stages)
        self._lasting_hits = lasting_hits
        self._copying: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> bytes | None:
        for number, stage in enumerate(self._stages):
            try:
                async with asyncio.timeout(stage.within_s):
                    pcm = await stage.cache.get(key)
            except TimeoutError:
                continue
            if pcm:
                if number:
                    self._copy(key, pcm, self._stages[:number])
                return pcm
        return None

    async def put(self, key: str, pcm: bytes, *, lasting: bool) -> None:
        for stage in self._stages:
            await stage.cache.put(key, pcm, lasting=lasting)

    def _copy(self, key: str, pcm: bytes, stages: Sequence[Stage]) -> None:
        async def copy() -> None:
            for stage in stages:
                await stage.cache.put(key, pcm, lasting=self._lasting_hits)

        task = asyncio.create_task(copy(), name="copy a sound")
        self._copying.add(task)
        task.add_done_callback(self._copying.discard)
