"""Small notes as Redis hashes that expire by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.redis.connection import KEY_LIFETIME_S, RedisConnection
from shared.adapters.redis.wire import Word, accepted, pack


class RedisShortMemory:
    """Fills the port `ShortMemory`, each method in one round trip."""

    def __init__(self, commands: RedisConnection) -> None:
        self._commands = commands

    async def note(self, name: str, facts: Mapping[str, str], *, lifetime_s: int | None = None) -> None:
        if not facts:
            return
        key, what = f"memory:{name}", "note facts"
        command: list[Word] = ["HSET", key]
        for fact, value in facts.items():
            command += (fact, value)
        expire = pack(("EXPIRE", key, KEY_LIFETIME_S if lifetime_s is None else lifetime_s))
        for reply in await self._commands.ask_all(what, [pack(tuple(command)), expire]):
            accepted(what, reply)

    async def facts(self, name: str) -> Mapping[str, str]:
        flat = await self._commands.ask("read facts", pack(("HGETALL", f"memory:{name}")))
        return {fact.decode(): value.decode() for fact, value in zip(flat[::2], flat[1::2], strict=True)}
