"""All simulated calls at Vonage that run now, and what is still known of those that are over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local_stack.phones.call_result import CallResult
from local_stack.phones.events import Listener
from local_stack.phones.moods import Moods
from local_stack.phones.people import CalledPerson, People
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.call import VonageCall
from local_stack.phones.vonage.options import CallOptions
from local_stack.phones.vonage.recordings import Recordings
from local_stack.phones.vonage.state import Command, LegState

_REMEMBERED: Final = 1000
_HANG_UP_TIMEOUT_S: Final = 3.0


@dataclass
class CallEntry:
    """A call as the REST API knows it. `call` is there while it lasts."""

    state: LegState
    call: VonageCall | None
    keys: list[str] = field(default_factory=list)
    """What was sent to it by the REST API."""


class CallBook:
    """Starts calls and finds them again."""

    def __init__(
        self,
        account: Account,
        state_dir: Path | None,
        people: People,
        speech: ProviderSpeech,
        recordings: Recordings | None = None,
    ) -> None:
        self.account = account
        self.state_dir = state_dir
        self.people = people
        self.speech = speech
        self.recordings = recordings or Recordings()
        self.moods = Moods()
        """How the next requests to the REST API are answered, where not as they should be."""
        self._entries: dict[str, CallEntry] = {}
        self._tasks: set[asyncio.Task[CallResult]] = set()

    @property
    def entries(self) -> list[CallEntry]:
        """All that are remembered, the newest first."""
        return list(reversed(self._entries.values()))

    def find(self, leg: str) -> CallEntry | None:
        return self._entries.get(leg)

    def in_conversation(self, conversation: str) -> CallEntry | None:
        return next((entry for entry in self.entries if entry.state.conversation == conversation), None)

    def person_at(self, number: str) -> CalledPerson:
        """Who picks up there; anybody who is not described answers and listens."""
        return self.people.get(number, CalledPerson())

    def start(self, options: CallOptions, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Starts a call in either direction; the task's name is its leg's id."""
        call = VonageCall(options, listener, recordings=self.recordings)
        entry = CallEntry(call.state, call)
        self._entries[call.state.leg] = entry
        self._forget_the_oldest()
        task = asyncio.create_task(self._run(entry, call), name=call.state.leg)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, entry: CallEntry, call: VonageCall) -> CallResult:
        try:
            return await call.run()
        finally:
            entry.call = None

    def _forget_the_oldest(self) -> None:
        over = [leg for leg, entry in self._entries.items() if entry.call is None]
        for leg in over[: max(0, len(self._entries) - _REMEMBERED)]:
            del self._entries[leg]

    async def close(self) -> None:
        """Hangs up every call; those that are not over in time are cut off."""
        for entry in self._entries.values():
            if entry.call is not None:
                entry.call.command(Command(ends=True))
        if self._tasks:
            _done, late = await asyncio.wait(set(self._tasks), timeout=_HANG_UP_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
