"""All simulated calls of the workspace that run now, and what is still known of those that are over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from local_stack.phones.call_result import CallResult
from local_stack.phones.events import Listener
from local_stack.phones.exchange import Setup
from local_stack.phones.people import CalledPerson
from local_stack.phones.sarvam.account import Account
from local_stack.phones.sarvam.call import SamvaadCall
from local_stack.phones.sarvam.options import CallOptions

_REMEMBERED: Final = 1000
_HANG_UP_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True)
class Entry:
    call: SamvaadCall
    task: asyncio.Task[CallResult]

    @property
    def is_running(self) -> bool:
        return not self.task.done()


class CallBook:
    """Starts calls and finds them again."""

    def __init__(self, account: Account, setup: Setup) -> None:
        self.account = account
        self.setup = setup
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> list[Entry]:
        """All that are remembered, the newest first."""
        return list(reversed(self._entries.values()))

    def find(self, name: str) -> Entry | None:
        return self._entries.get(name)

    def person_at(self, number: str) -> CalledPerson:
        """Who picks up there; anybody who is not described answers and listens."""
        return self.setup.people.get(number, CalledPerson())

    def start(self, options: CallOptions, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Starts a call in either direction; the task's name is the call's."""
        call = SamvaadCall(options, listener)
        task = asyncio.create_task(call.run(), name=options.name)
        self._entries[options.name] = Entry(call, task)
        over = [name for name, entry in self._entries.items() if not entry.is_running]
        for name in over[: max(0, len(self._entries) - _REMEMBERED)]:
            del self._entries[name]
        return task

    async def close(self) -> None:
        """Hangs up every call; those that are not over in time are cut off."""
        running = [entry for entry in self._entries.values() if entry.is_running]
        for entry in running:
            entry.call.hang_up()
        if running:
            _done, late = await asyncio.wait({entry.task for entry in running}, timeout=_HANG_UP_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
