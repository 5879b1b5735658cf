"""All contacts of the instance, running and over, and what they are made with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from local_stack.phones.call_result import CallResult
from local_stack.phones.connect.account import Account
from local_stack.phones.connect.call import ConnectCall
from local_stack.phones.connect.flow import Flow, read_flow
from local_stack.phones.connect.functions import Functions
from local_stack.phones.connect.options import ContactOptions
from local_stack.phones.connect.video_streams import VideoStreams
from local_stack.phones.events import Listener
from local_stack.phones.exchange import Setup

_MOST_REMEMBERED = 500
_ENDS_WITHIN_S = 8.0


@dataclass(frozen=True)
class Entry:
    call: ConnectCall
    task: asyncio.Task[CallResult]


class ContactBook:
    def __init__(self, account: Account, setup: Setup) -> None:
        self.account = account
        self.setup = setup
        self.flow = read_flow(account.flow_file)
        self.streams = VideoStreams(account)
        self.entries: list[Entry] = []
        self.dialled: dict[str, str] = {}
        """Contact ids by the token of their request."""
        self._functions: dict[str, Functions] = {}

    def functions(self, app_url: str) -> Functions:
        """The shipped function as it is deployed for an app."""
        if app_url not in self._functions:
            environment = {"APP_URL": app_url, "APP_SECRET": self.account.webhook_secret}
            self._functions[app_url] = Functions(self.account.function_dir, environment)
        return self._functions[app_url]

    def _flow(self, gateway_number: str) -> Flow:
        if not gateway_number:
            return self.flow
        return read_flow(self.account.gateway_flow_file, GATEWAY_NUMBER=gateway_number)

    def start(self, options: ContactOptions, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        call = ConnectCall(
            self.account,
            options,
            flow=self._flow(options.gateway_number),
            functions=self.functions(options.app_url),
            streams=self.streams,
            speech=self.setup.speech,
            people=self.setup.people,
            state_dir=self.setup.state_dir,
            listener=listener,
        )
        task = asyncio.get_running_loop().create_task(call.run(), name=call.contact.contact_id)
        self.entries.insert(0, Entry(call, task))
        del self.entries[_MOST_REMEMBERED:]
        return task

    def find(self, contact_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.call.contact.contact_id == contact_id), None)

    async def close(self) -> None:
        running = [entry for entry in self.entries if not entry.task.done()]
        for entry in running:
            entry.call.stop("OTHER")
        if running:
            _, late = await asyncio.wait({entry.task for entry in running}, timeout=_ENDS_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for functions in self._functions.values():
            await functions.close()
