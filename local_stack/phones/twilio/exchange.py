"""The carrier's switch: all simulated calls that run now, and what is still known of those that are over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from local_stack.phones.conversation import Plan
from local_stack.phones.events import Listener
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.call import Command, TwilioCall
from local_stack.phones.twilio.call_state import CallResult, CallState
from local_stack.phones.twilio.misbehaviour import Misbehaviours
from local_stack.phones.twilio.options import Callee, CallOptions
from local_stack.phones.utterance import Utterance

_REMEMBERED: Final = 1000
_HANG_UP_TIMEOUT_S: Final = 3.0


@dataclass
class CallEntry:
    """A call as the REST API knows it. `call` is there while it lasts."""

    sid: str
    options: CallOptions
    state: CallState
    call: TwilioCall | None


def _without_audio(options: CallOptions) -> CallOptions:
    """The same call without what is said in it, so that a thousand of them can be remembered."""
    return replace(options, utterances=(), murmur=None, plan=replace(options.plan, speaks=False))


@dataclass(frozen=True)
class CalledPerson:
    """How the person behaves who is called at a number."""

    callee: Callee = Callee.ANSWERS
    ring_ms: int = 500
    utterances: Sequence[Utterance] = ()
    plan: Plan = field(default_factory=lambda: Plan(speaks=False))
    misbehaviours: Misbehaviours = frozenset()


class Exchange:
    """Places calls and finds them again."""

    def __init__(self, account: Account, state_dir: Path | None) -> None:
        self.account = account
        self.state_dir = state_dir
        self.people: dict[str, CalledPerson] = {}
        """Who is at a number; anybody else answers and listens."""
        self._entries: dict[str, CallEntry] = {}
        self._tasks: set[asyncio.Task[CallResult]] = set()

    @property
    def entries(self) -> list[CallEntry]:
        """All that are remembered, the newest first."""
        return list(reversed(self._entries.values()))

    def find(self, sid: str) -> CallEntry | None:
        return self._entries.get(sid)

    def place(self, options: CallOptions, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Starts a call; the task's name is its SID. `events` reach the listener in order."""
        call = TwilioCall(options, listener)
        entry = CallEntry(call.sid, _without_audio(options), call.state, call)
        self._entries[call.sid] = entry
        self._forget_the_oldest()
        task = asyncio.create_task(self._run(entry, call), name=call.sid)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, entry: CallEntry, call: TwilioCall) -> CallResult:
        try:
            return await call.run()
        finally:
            entry.call = None

    def _forget_the_oldest(self) -> None:
        over = [sid for sid, entry in self._entries.items() if entry.call is None]
        for sid in over[: max(0, len(self._entries) - _REMEMBERED)]:
            del self._entries[sid]

    async def close(self) -> None:
        """Hangs up every call; those that are not over in time are cut off."""
        for entry in self._entries.values():
            if entry.call is not None:
                entry.call.command(Command(final_status="completed"))
        if self._tasks:
            _done, late = await asyncio.wait(set(self._tasks), timeout=_HANG_UP_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
