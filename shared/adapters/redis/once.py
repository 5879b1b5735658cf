"""What may happen once only, as Redis keys that expire by themselves."""

from __future__ import annotations

import secrets

from shared.adapters.redis.connection import RedisConnection
from shared.adapters.redis.wire import pack

# Who wrote first holds it, also when its answer was lost and it asks again. KEYS: name. ARGV: holder, lifetime.
_TAKE = """
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2])
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0
"""


class RedisOnce:
    """Fills the port `Once`, each method in one round trip."""

    def __init__(self, commands: RedisConnection) -> None:
        self._commands = commands

    async def take(self, name: str, *, lifetime_s: int) -> bool:
        command = pack(("EVAL", _TAKE, 1, f"once:{name}", secrets.token_hex(8), lifetime_s))
        return bool(await self._commands.ask("take what comes once", command))

    async def give_back(self, name: str) -> None:
        await self._commands.ask("give back what comes once", pack(("DEL", f"once:{name}")))
