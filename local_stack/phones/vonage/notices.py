"""What Vonage tells an app beside the call: events, never in the way of the audio, in no sure order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from local_stack.phones.events import EventLog
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.misbehaviour import Misbehaviour, Misbehaviours
from local_stack.phones.vonage.webhooks import WebhookSender

_DRAIN_TIMEOUT_S: Final = 15.0
_LATE_S: Final = 2.0


class Notices:
    """The events of one call. One that fails stands in the event log and does not stop the others."""

    def __init__(self, sender: WebhookSender, log: EventLog, ways: Misbehaviours) -> None:
        self._sender = sender
        self._log = log
        self._ways = ways
        self._held: tuple[str, Mapping[str, Any]] | None = None
        self._queue: asyncio.Queue[tuple[str, Mapping[str, Any]] | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())

    def tell(self, url: str | None, document: Mapping[str, Any]) -> None:
        """Queues an event; without an address nobody is told."""
        if url is None:
            return
        if Misbehaviour.REORDERED_EVENTS in self._ways:
            if self._held is None:
                self._held = (url, document)
                return
            self._queue.put_nowait((url, document))
            held, self._held = self._held, None
            self._queue.put_nowait(held)
            return
        self._queue.put_nowait((url, document))
        if Misbehaviour.DUPLICATE_EVENTS in self._ways:
            self._queue.put_nowait((url, document))

    async def drain(self) -> None:
        """Waits until all are sent."""
        if self._held is not None:
            self._queue.put_nowait(self._held)
        self._queue.put_nowait(None)
        try:
            async with asyncio.timeout(_DRAIN_TIMEOUT_S):
                await self._task
        except TimeoutError:
            self._log.add("callback_failed", message="the events could not all be sent in time")

    async def stop(self) -> None:
        """Gives up what is not yet sent."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while (event := await self._queue.get()) is not None:
            url, document = event
            if Misbehaviour.LATE_EVENTS in self._ways:
                await asyncio.sleep(_LATE_S)
            try:
                await self._sender.tell(self._sender.prepare("event", url, document))
            except VonageFault as fault:
                self._log.add("callback_failed", kind="event", code=fault.code, message=fault.message)


def moment(at_ms: float) -> str:
    """As Vonage writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
