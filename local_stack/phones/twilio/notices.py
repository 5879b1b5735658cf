"""What the carrier tells the app beside the call: callbacks, in order, never in the way of the audio."""

from __future__ import annotations

import asyncio
from typing import Final

from local_stack.phones.twilio import twiml
from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.forms import StatusMoment, StreamMoment, status_fields, stream_fields
from local_stack.phones.twilio.options import Direction
from local_stack.phones.twilio.webhooks import PreparedRequest, WebhookSender

_DRAIN_TIMEOUT_S: Final = 35.0
"""Two tries of 15 seconds each, and some."""


class Notices:
    """The callbacks of one call. One that fails stands in the event log and does not stop the others."""

    def __init__(self, context: CallContext, sender: WebhookSender) -> None:
        self._context = context
        self._sender = sender
        self._log = context.log
        self._queue: asyncio.Queue[PreparedRequest | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())

    def progress(self, event: str, call_status: str) -> None:
        """`initiated`, `ringing`, `answered` or `completed`; numbered whether or not the app asked for it."""
        options, state = self._context.options, self._context.state
        sequence = state.sequence
        state.sequence += 1 if options.direction is Direction.OUTBOUND else 0
        if options.status_url is None or event not in options.status_events:
            return
        moment = StatusMoment(call_status, sequence, self._context.now_ms(), state.duration_s)
        fields = status_fields(options, self._context.sid, moment)
        request = self._sender.prepare("status", options.status_method, options.status_url, fields)
        self._queue.put_nowait(request)

    def stream(self, verb: twiml.Stream, stream_sid: str, event: str, error: str = "") -> None:
        """`stream-started`, `stream-stopped` or `stream-error`."""
        self._log.add(event.replace("-", "_"), stream_sid=stream_sid)
        if verb.status_callback is None:
            return
        moment = StreamMoment(stream_sid, verb.name, event, self._context.now_ms(), error)
        fields = stream_fields(self._context.options, self._context.sid, moment)
        request = self._sender.prepare(event, verb.status_callback_method, verb.status_callback, fields)
        self._queue.put_nowait(request)

    async def drain(self) -> None:
        """Waits until all are sent."""
        self._queue.put_nowait(None)
        try:
            async with asyncio.timeout(_DRAIN_TIMEOUT_S):
                await self._task
        except TimeoutError:
            self._log.add("callback_failed", message="the callbacks could not all be sent in time")

    async def stop(self) -> None:
        """Gives up what is not yet sent."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while (request := await self._queue.get()) is not None:
            try:
                await self._sender.send(request)
            except CarrierFault as fault:
                self._log.add("callback_failed", kind=request.kind, code=int(fault.code), message=fault.message)
