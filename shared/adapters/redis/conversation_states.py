"""States of conversations as Redis hashes of a document and its revision."""

from __future__ import annotations

import json

from shared.adapters.redis.connection import KEY_LIFETIME_S, RedisConnection
from shared.adapters.redis.wire import pack
from shared.domain import pipe_names
from shared.domain.json_text import whole
from shared.domain.understanding.state import State, state_of

# Replace what has this revision. An answer that was lost is asked for again: the same document with the next revision
# was then written by ourselves. KEYS: state. ARGV: revision, document, lifetime.
_WRITE = """
local revision = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
local wanted = tonumber(ARGV[1])
if revision == wanted + 1 and redis.call('HGET', KEYS[1], 'document') == ARGV[2] then return 1 end
if revision ~= wanted then return 0 end
redis.call('HSET', KEYS[1], 'revision', wanted + 1, 'document', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class RedisConversationStates:
    """Fills the port `ConversationStates`, each method in one round trip."""

    def __init__(self, commands: RedisConnection) -> None:
        self._commands = commands

    async def read(self, call_id: str) -> tuple[State | None, int]:
        command = pack(("HMGET", pipe_names.state(call_id), "revision", "document"))
        revision, document = await self._commands.ask("read a state", command)
        if revision is None or document is None:
            return None, 0
        try:
            return state_of(json.loads(document)), int(revision)
        except ValueError:
            return None, int(revision)

    async def write(self, call_id: str, state: State, *, revision: int) -> bool:
        document = whole(json.dumps(state.to_json(), ensure_ascii=False))
        key = pipe_names.state(call_id)
        command = pack(("EVAL", _WRITE, 1, key, revision, document, KEY_LIFETIME_S))
        return bool(await self._commands.ask("write a state", command))
