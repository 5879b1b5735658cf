"""All simulated calls of the carrier that run now, and what is still known of those that are over."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from local_stack.phones.call_result import CallResult
from local_stack.phones.events import Listener
from local_stack.phones.exchange import KnownCall
from local_stack.phones.people import People
from local_stack.phones.provider_speech import ProviderSpeech, default_speech_url
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.call import Command, TwilioCall
from local_stack.phones.twilio.call_state import CallState
from local_stack.phones.twilio.context import Carrier
from local_stack.phones.twilio.options import CallOptions

_REMEMBERED: Final = 1000
_HANG_UP_TIMEOUT_S: Final = 3.0


@dataclass
class CallEntry:
    """A call as the REST API knows it. `call` is there while it lasts."""

    sid: str
    options: CallOptions
    state: CallState
    call: TwilioCall | None

    def known(self) -> KnownCall:
        return KnownCall(self.sid, self.state.status, self.call is not None)


def _without_audio(options: CallOptions) -> CallOptions:
    """The same call without what is said in it, so that a thousand of them can be remembered."""
    return replace(options, utterances=(), murmur=None, plan=replace(options.plan, speaks=False))


class CallBook:
    """Starts calls and finds them again."""

    def __init__(
        self,
        account: Account,
        state_dir: Path | None,
        people: People | None = None,
        speech: ProviderSpeech | None = None,
        api_url: str = "http://localhost:7083",
    ) -> None:
        self.account = account
        self.accounts = {account.sid: account}
        """The account and its subaccounts."""
        self.state_dir = state_dir
        self.carrier = Carrier(
            self._place_leg,
            speech or ProviderSpeech(default_speech_url()),
            {} if people is None else people,
            api_url.rstrip("/"),
        )
        self._entries: dict[str, CallEntry] = {}
        self._tasks: set[asyncio.Task[CallResult]] = set()

    def add_account(self, account: Account) -> None:
        """A subaccount."""
        self.accounts[account.sid] = account

    def now_ms(self) -> float:
        """Unix epoch milliseconds."""
        return time.time() * 1000

    @property
    def people(self) -> People:
        return self.carrier.people

    @property
    def entries(self) -> list[CallEntry]:
        """All that are remembered, the newest first."""
        return list(reversed(self._entries.values()))

    def find(self, sid: str) -> CallEntry | None:
        return self._entries.get(sid)

    def start(self, options: CallOptions, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Starts a call in either direction; the task's name is its SID."""
        _call, task = self._enter(options, listener)
        return task

    def _place_leg(self, options: CallOptions) -> tuple[TwilioCall, asyncio.Task[CallResult]]:
        return self._enter(options, None)

    def _enter(self, options: CallOptions, listener: Listener | None) -> tuple[TwilioCall, asyncio.Task[CallResult]]:
        call = TwilioCall(options, listener, carrier=self.carrier)
        entry = CallEntry(call.sid, _without_audio(options), call.state, call)
        self._entries[call.sid] = entry
        self._forget_the_oldest()
        task = asyncio.create_task(self._run(entry, call), name=call.sid)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return call, task

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
