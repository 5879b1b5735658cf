"""What the carrier tells the app beside the call: callbacks, in order, never in the way of the audio."""

from __future__ import annotations

import asyncio
from typing import Final

from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.forms import (
    Fields,
    StatusMoment,
    StreamMoment,
    recording_fields,
    room_fields,
    status_fields,
    stream_fields,
    voice_fields,
)
from local_stack.phones.twilio.misbehaviour import Misbehaviour
from local_stack.phones.twilio.options import Direction
from local_stack.phones.twilio.recordings import Recording
from local_stack.phones.twilio.rooms import Participant, Room
from local_stack.phones.twilio.verbs import Callback, Stream
from local_stack.phones.twilio.webhooks import PreparedRequest, WebhookSender

_DRAIN_TIMEOUT_S: Final = 35.0
"""Two tries of 15 seconds each, and some."""
_LATE_S: Final = 2.0


class Notices:
    """The callbacks of one call. One that fails stands in the event log and does not stop the others."""

    def __init__(self, context: CallContext, sender: WebhookSender) -> None:
        self._context = context
        self._sender = sender
        self._log = context.log
        self._queue: asyncio.Queue[PreparedRequest | None] = asyncio.Queue()
        self._held: PreparedRequest | None = None
        self._task = asyncio.create_task(self._run())

    def progress(self, event: str, call_status: str) -> None:
        """`initiated`, `ringing`, `answered` or `completed`; numbered whether or not the app asked for it."""
        options, state = self._context.options, self._context.state
        sequence = state.sequence
        state.sequence += 0 if options.direction is Direction.INBOUND else 1
        if options.status_url is None or event not in options.status_events:
            return
        if event == "completed" and Misbehaviour.LOST_CALLBACKS in options.misbehaviours:
            return
        moment = StatusMoment(call_status, sequence, self._context.now_ms(), state.duration_s)
        fields = status_fields(options, self._context.sid, moment)
        if state.answered_by is not None:
            fields.append(("AnsweredBy", state.answered_by))
        request = self._sender.prepare("status", options.status_method, options.status_url, fields)
        self._put_progress(request)
        if Misbehaviour.DUPLICATE_CALLBACKS in options.misbehaviours:
            self._put_progress(request)

    def _put_progress(self, request: PreparedRequest) -> None:
        """Told to reorder, it sends of two callbacks the later one first."""
        if Misbehaviour.REORDERED_CALLBACKS not in self._context.options.misbehaviours:
            self._queue.put_nowait(request)
        elif self._held is None:
            self._held = request
        else:
            self._queue.put_nowait(request)
            self._queue.put_nowait(self._held)
            self._held = None

    def stream(self, verb: Stream, stream_sid: str, event: str, error: str = "") -> None:
        """`stream-started`, `stream-stopped` or `stream-error`."""
        self._log.add(event.replace("-", "_"), stream_sid=stream_sid)
        if verb.status_callback is None:
            return
        moment = StreamMoment(stream_sid, verb.name, event, self._context.now_ms(), error)
        fields = stream_fields(self._context.options, self._context.sid, moment)
        request = self._sender.prepare(event, verb.status_callback_method, verb.status_callback, fields)
        self._queue.put_nowait(request)

    def recording(self, recording: Recording, callback: Callback) -> None:
        """That it began, is complete, or holds nothing; as far as that is wanted."""
        if recording.status in callback.events:
            fields = recording_fields(recording, self._context.carrier.api_url)
            self._queue.put_nowait(self._sender.prepare("recording", callback.method, callback.url, fields))

    def asked(self, method: str, url: str, extra: Fields) -> None:
        """The action of a verb that was under way when the caller left; the answer is not followed."""
        context = self._context
        fields = [*voice_fields(context.options, context.sid, context.state.status), *extra]
        self._queue.put_nowait(self._sender.prepare("action", method, url, fields))

    def answered_by(self, who: str, took_ms: int, url: str, method: str) -> None:
        """What the carrier found out while the call went on. Source: …/answering-machine-detection#async-amd"""
        context = self._context
        fields = [
            ("AccountSid", context.options.account.sid),
            ("CallSid", context.sid),
            ("AnsweredBy", who),
            ("MachineDetectionDuration", str(took_ms)),
        ]
        request = self._sender.prepare("amd", method, url, fields)
        self._queue.put_nowait(request)
        if Misbehaviour.DUPLICATE_CALLBACKS in context.options.misbehaviours:
            self._queue.put_nowait(request)

    def room(self, room: Room, event: str, participant: Participant | None = None) -> None:
        """`conference-start`, `participant-join` …, as far as that is wanted."""
        self._log.add("room_told", room=room.name, told=event)
        callback = room.callback
        wanted = event.partition("-")[2]
        if callback is not None and wanted.removeprefix("un") in callback.events:
            room.sequence += 1
            fields = room_fields(room, event, self._context.now_ms(), participant)
            self._queue.put_nowait(self._sender.prepare("room", callback.method, callback.url, fields))

    async def drain(self) -> None:
        """Waits until all are sent."""
        if self._held is not None:
            self._queue.put_nowait(self._held)
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
            if Misbehaviour.LATE_CALLBACKS in self._context.options.misbehaviours:
                await self._context.clock.sleep(_LATE_S)
            try:
                await self._sender.send(request)
            except CarrierFault as fault:
                self._log.add("callback_failed", kind=request.kind, code=int(fault.code), message=fault.message)
