"""Cached sound in memory."""

from __future__ import annotations


class FakeSoundCache:
    """Fills the port `SoundCache`. `sounds` is what it keeps, `lasting` the keys of what outlives the hour, `asked`
    the keys that were looked for; while it is `down` nothing is there and nothing is kept.
    """

    def __init__(self) -> None:
        self.down = False
        self.sounds: dict[str, bytes] = {}
        self.lasting: set[str] = set()
        self.asked: list[str] = []

    async def get(self, key: str) -> bytes | None:
        self.asked.append(key)
        return None if self.down else self.sounds.get(key)

    async def put(self, key: str, pcm: bytes, *, lasting: bool) -> None:
        if self.down or not pcm:
            return
        self.sounds[key] = pcm
        if lasting:
            self.lasting.add(key)
