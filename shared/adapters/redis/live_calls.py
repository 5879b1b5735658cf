"""Running calls as Redis hashes that expire by themselves."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from shared.adapters.redis.connection import KEY_LIFETIME_S, RedisConnection
from shared.adapters.redis.wire import Word, accepted, pack
from shared.domain import pipe_names
from shared.domain.ledger import Cost, cost_entry
from shared.domain.telephony.lines import Line, Provider
from shared.ports.live_calls import LiveCall

_TICKET_LIFETIME_S = 60

# What is known stays as it is. KEYS: call. ARGV: lifetime, names and values by turns.
_OPEN = """
for i = 2, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""
# Note where the audio flows unless another connection has it. KEYS: call. ARGV: connection, hub, stream, now.
_ATTACH = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local held = redis.call('HGET', KEYS[1], 'connection_id')
if held and held ~= '' then return held == ARGV[1] and 1 or 0 end
redis.call('HSET', KEYS[1], 'connection_id', ARGV[1], 'hub', ARGV[2], 'stream_id', ARGV[3])
if redis.call('HGET', KEYS[1], 'started_ms') == '0' then redis.call('HSET', KEYS[1], 'started_ms', ARGV[4]) end
return 1
"""
# Let another connection take this one's place. KEYS: call. ARGV: connection.
_DETACH = """
if redis.call('HGET', KEYS[1], 'connection_id') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'connection_id', '', 'stream_id', '')
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
# Note for what we leave a call that has not ended, nor is left already; whose answer was lost may ask again.
# KEYS: call. ARGV: reason, who asks.
_LEAVE = """
if redis.call('HGET', KEYS[1], 'end_reason') ~= '' then return 0 end
local leaving = redis.call('HGET', KEYS[1], 'leaving')
local holder = redis.call('HGET', KEYS[1], 'leaving_by')
if ARGV[1] ~= '' and leaving and leaving ~= '' and holder ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'leaving', ARGV[1], 'leaving_by', ARGV[2])
return 1
"""
# Note who goes on with a call that has not ended, unless that was settled in a later turn.
# KEYS: call. ARGV: agent, version, turn.
_GO_ON_WITH = """
if redis.call('HGET', KEYS[1], 'end_reason') ~= '' then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'agent_since') or '0') > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'agent_id', ARGV[1], 'agent_version', ARGV[2], 'agent_since', ARGV[3])
return 1
"""
# Note facts of a call that has not ended. KEYS: call. ARGV: names and values by turns.
_FACTS = """
if redis.call('HGET', KEYS[1], 'end_reason') ~= '' then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
"""


def _journal_key(call_id: str, turn: int) -> str:
    return pipe_names.turn(call_id, turn, "journal")


def _counts_key(call_id: str) -> str:
    return f"{pipe_names.call_prefix(call_id)}:counts"


def _ticket_key(ticket: str) -> str:
    return f"ticket:{ticket}"


class RedisLiveCalls:
    """Fills the port `LiveCalls`, each method in one round trip."""

    def __init__(self, commands: RedisConnection) -> None:
        self._commands = commands

    async def open(self, call: LiveCall) -> None:
        values: list[Word] = [KEY_LIFETIME_S]
        for name in call.__dataclass_fields__:
            values += (name, str(getattr(call, name)))
        await self._run("open a call", _OPEN, pipe_names.call_prefix(call.call_id), *values)

    async def get(self, call_id: str) -> LiveCall | None:
        command = pack(("HGETALL", pipe_names.call_prefix(call_id)))
        stored = _hash(await self._commands.ask("read a call", command))
        if not stored:
            return None
        known = LiveCall.__dataclass_fields__  # a later release may have written more
        values: dict[str, Any] = {name: value for name, value in stored.items() if name in known}
        values["line"] = Line(values.get("line") or values["provider"])  # an earlier release wrote none
        values["provider"] = Provider(values["provider"])
        values["started_ms"] = int(values["started_ms"])
        for name in ("agent_version", "agent_since"):  # an earlier release wrote none
            values[name] = int(values.get(name, 0))
        return LiveCall(**values)

    async def attach(self, call_id: str, *, hub: str, connection_id: str, stream_id: str, at_ms: int) -> bool:
        key = pipe_names.call_prefix(call_id)
        return bool(await self._run("attach a connection", _ATTACH, key, connection_id, hub, stream_id, at_ms))

    async def detach(self, call_id: str, *, connection_id: str) -> None:
        if connection_id:
            await self._run("detach a connection", _DETACH, pipe_names.call_prefix(call_id), connection_id)

    async def end(self, call_id: str, reason: str) -> bool:
        """An answer that was lost is asked for once more, and then says False though the call ended by this."""
        return bool(await self._run("end a call", _END, pipe_names.call_prefix(call_id), reason))

    async def leave(self, call_id: str, reason: str) -> bool:
        who = secrets.token_hex(8)
        return bool(await self._run("leave a call", _LEAVE, pipe_names.call_prefix(call_id), reason, who))

    async def order_language(self, call_id: str, language: str, *, order: str) -> bool:
        facts: tuple[Word, ...] = ("language", language, "language_order", order)
        return bool(await self._run("order a language", _FACTS, pipe_names.call_prefix(call_id), *facts))

    async def keep_phrases(self, call_id: str, phrases: str) -> bool:
        key = pipe_names.call_prefix(call_id)
        return bool(await self._run("keep phrases", _FACTS, key, "phrases", phrases))

    async def pass_on(self, call_id: str, agent_id: str, version: int, *, turn: int) -> bool:
        facts: tuple[Word, ...] = (agent_id, version, turn)
        return bool(await self._run("pass a call on", _GO_ON_WITH, pipe_names.call_prefix(call_id), *facts))

    async def issue_ticket(self, call_id: str) -> str:
        ticket = secrets.token_urlsafe(24)
        key = _ticket_key(ticket)
        await self._write("issue a ticket", key, ("HSET", key, "call", call_id), lifetime_s=_TICKET_LIFETIME_S)
        return ticket

    async def redeem_ticket(self, ticket: str, *, connection_id: str) -> str | None:
        call_id = await self._run("redeem a ticket", _REDEEM, _ticket_key(ticket), connection_id)
        return call_id.decode() if call_id else None

    async def note(self, call_id: str, turn: int, entries: Mapping[str, str | float]) -> None:
        key = _journal_key(call_id, turn)
        command: list[Word] = ["HSET", key]
        for name, value in entries.items():
            command += (name, str(value))
        await self._write("write a journal", key, tuple(command))

    async def note_once(self, call_id: str, turn: int, name: str, value: str | float) -> None:
        key = _journal_key(call_id, turn)
        await self._write("write a journal", key, ("HSETNX", key, name, str(value)))

    async def count(self, call_id: str, turn: int, costs: Mapping[Cost, float]) -> None:
        if costs:
            key = _journal_key(call_id, turn)
            additions = (("HINCRBYFLOAT", key, cost_entry(cost), amount) for cost, amount in costs.items())
            await self._write("count costs", key, *additions, again=False)

    async def draw(self, call_id: str, name: str) -> int:
        """Where an answer was lost, a number is passed over."""
        key = _counts_key(call_id)
        return int(await self._write("draw a number", key, ("HINCRBY", key, name, 1))) - 1

    async def journal(self, call_id: str, turn: int) -> dict[str, str]:
        command = pack(("HGETALL", _journal_key(call_id, turn)))
        return _hash(await self._commands.ask("read a journal", command))

    async def journals(self, call_id: str, turns: range) -> list[dict[str, str]]:
        if not turns:
            return []
        commands = [pack(("HGETALL", _journal_key(call_id, turn))) for turn in turns]
        found = await self._commands.ask_all("read journals", commands)
        return [_hash(accepted("read journals", journal)) for journal in found]

    async def close(self, call_id: str, last_turn: int) -> None:
        of_call = (*pipe_names.of_call(call_id), pipe_names.state(call_id))
        keys = [pipe_names.call_prefix(call_id), *of_call, _counts_key(call_id)]
        of_turn = (*pipe_names.TURN_PIPES, *pipe_names.EPOCHS, "journal")
        for turn in range(last_turn + 2):  # the turn after the last one may have been listening already
            keys += [pipe_names.turn(call_id, turn, pipe) for pipe in of_turn]
        await self._commands.ask("close a call", pack(("UNLINK", *keys)))

    async def ping(self) -> None:
        await self._commands.ask("ping", pack(("PING",)))

    async def _run(self, what: str, script: str, key: str, *arguments: Word) -> Any:
        return await self._commands.ask(what, pack(("EVAL", script, 1, key, *arguments)))

    async def _write(
        self,
        what: str,
        key: str,
        *commands: tuple[Word, ...],
        lifetime_s: int = KEY_LIFETIME_S,
        again: bool = True,
    ) -> Any:
        """Commands on one key, which expires; the reply to the first of them."""
        asked = [pack(command) for command in (*commands, ("EXPIRE", key, lifetime_s))]
        replies = await self._commands.ask_all(what, asked, again=again)
        first, *_ = [accepted(what, reply) for reply in replies]
        return first


def _hash(flat: list[bytes]) -> dict[str, str]:
    """As Redis tells it: names and values by turns."""
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
