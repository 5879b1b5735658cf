"""Running calls as Redis hashes that expire by themselves."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from shared.adapters.redis.connection import KEY_LIFETIME_S, translated
from shared.domain import pipe_names
from shared.domain.call import Provider
from shared.ports.live_calls import LiveCall

_TICKET_LIFETIME_S = 60

# Note where the audio flows unless another connection has it. KEYS: call. ARGV: connection, hub, stream, now.
_ATTACH = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local held = redis.call('HGET', KEYS[1], 'connection_id')
if held and held ~= '' then return held == ARGV[1] and 1 or 0 end
redis.call('HSET', KEYS[1], 'connection_id', ARGV[1], 'hub', ARGV[2], 'stream_id', ARGV[3], 'started_ms', ARGV[4])
return 1
"""
# A ticket is held by the connection that used it first. KEYS: ticket. ARGV: connection.
_REDEEM = """
local call = redis.call('HGET', KEYS[1], 'call')
if not call then return nil end
redis.call('HSETNX', KEYS[1], 'connection', ARGV[1])
return redis.call('HGET', KEYS[1], 'connection') == ARGV[1] and call or nil
"""
# The first reason for the end stands. KEYS: call. ARGV: reason.
_END = """
local reason = redis.call('HGET', KEYS[1], 'end_reason')
if not reason or reason ~= '' then return 0 end
redis.call('HSET', KEYS[1], 'end_reason', ARGV[1])
return 1
"""


def _journal_key(call_id: str, turn: int) -> str:
    return pipe_names.turn(call_id, turn, "journal")


def _ticket_key(ticket: str) -> str:
    return f"ticket:{ticket}"


class RedisLiveCalls:
    """Fills the port `LiveCalls`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def open(self, call: LiveCall) -> None:
        key = pipe_names.call_prefix(call.call_id)
        values = {name: str(getattr(call, name)) for name in call.__dataclass_fields__}
        async with translated("open a call"):
            transaction = self._redis.pipeline()
            for name, value in values.items():
                transaction.hsetnx(key, name, value)
            transaction.expire(key, KEY_LIFETIME_S)
            await transaction.execute()

    async def get(self, call_id: str) -> LiveCall | None:
        async with translated("read a call"):
            stored: Any = await self._redis.hgetall(pipe_names.call_prefix(call_id))
        if not stored:
            return None
        known = LiveCall.__dataclass_fields__  # a later release may have written more
        values: dict[str, Any] = {
            name.decode(): value.decode() for name, value in stored.items() if name.decode() in known
        }
        values["provider"] = Provider(values["provider"])
        values["started_ms"] = int(values["started_ms"])
        return LiveCall(**values)

    async def attach(self, call_id: str, *, hub: str, connection_id: str, stream_id: str, at_ms: int) -> bool:
        async with translated("attach a connection"):
            key = pipe_names.call_prefix(call_id)
            return bool(await self._redis.eval(_ATTACH, 1, key, connection_id, hub, stream_id, str(at_ms)))

    async def end(self, call_id: str, reason: str) -> bool:
        async with translated("end a call"):
            return bool(await self._redis.eval(_END, 1, pipe_names.call_prefix(call_id), reason))

    async def issue_ticket(self, call_id: str) -> str:
        ticket = secrets.token_urlsafe(24)
        async with translated("issue a ticket"):
            transaction = self._redis.pipeline()
            transaction.hset(_ticket_key(ticket), "call", call_id)
            transaction.expire(_ticket_key(ticket), _TICKET_LIFETIME_S)
            await transaction.execute()
        return ticket

    async def redeem_ticket(self, ticket: str, *, connection_id: str) -> str | None:
        async with translated("redeem a ticket"):
            call_id: Any = await self._redis.eval(_REDEEM, 1, _ticket_key(ticket), connection_id)
        return call_id.decode() if call_id else None

    async def note(self, call_id: str, turn: int, entries: Mapping[str, str | float]) -> None:
        key = _journal_key(call_id, turn)
        async with translated("write a journal"):
            transaction = self._redis.pipeline(transaction=False)
            transaction.hset(key, mapping={name: str(value) for name, value in entries.items()})
            transaction.expire(key, KEY_LIFETIME_S)
            await transaction.execute()

    async def note_once(self, call_id: str, turn: int, name: str, value: str | float) -> None:
        key = _journal_key(call_id, turn)
        async with translated("write a journal"):
            transaction = self._redis.pipeline(transaction=False)
            transaction.hsetnx(key, name, str(value))
            transaction.expire(key, KEY_LIFETIME_S)
            await transaction.execute()

    async def journal(self, call_id: str, turn: int) -> dict[str, str]:
        return (await self.journals(call_id, range(turn, turn + 1)))[0]

    async def journals(self, call_id: str, turns: range) -> list[dict[str, str]]:
        async with translated("read journals"):
            transaction = self._redis.pipeline(transaction=False)
            for turn in turns:
                transaction.hgetall(_journal_key(call_id, turn))
            found = await transaction.execute()
        return [{name.decode(): value.decode() for name, value in journal.items()} for journal in found]

    async def close(self, call_id: str, last_turn: int) -> None:
        keys = [pipe_names.call_prefix(call_id), pipe_names.frames(call_id), pipe_names.events(call_id)]
        for turn in range(last_turn + 2):  # the turn after the last one may have been listening already
            keys += [pipe_names.turn(call_id, turn, pipe) for pipe in (*pipe_names.TURN_PIPES, "journal")]
        async with translated("close a call"):
            await self._redis.unlink(*keys)

    async def ping(self) -> None:
        async with translated("ping"):
            await self._redis.ping()
