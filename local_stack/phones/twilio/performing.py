"""Which verb of a TwiML document is carried out by what."""

from __future__ import annotations

from collections.abc import Callable

from local_stack.phones.floor import AGENT_SPEAKS_ON, UNKNOWN
from local_stack.phones.twilio.dialling import dial, start_recording
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.gathering import gather
from local_stack.phones.twilio.media_stream import MediaStream, StreamEnd
from local_stack.phones.twilio.options import RecordingWish
from local_stack.phones.twilio.relay import relay
from local_stack.phones.twilio.speaking import perform_prompts
from local_stack.phones.twilio.stage import CallEnded, Stage
from local_stack.phones.twilio.verbs import (
    Dial,
    Gather,
    Hangup,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Relay,
    Say,
    StartRecording,
    Stream,
    Verb,
)
from local_stack.phones.twilio.voice_webhook import Source
from local_stack.phones.twilio.voicemail import record

_OF_THE_AGENT = (Gather, Say, Play, Pause, Redirect, StartRecording)
"""While these are carried out the app has the word, or is asked for it."""


async def perform_one(stage: Stage, verb: Verb, is_commanded: Callable[[], bool]) -> Source | None:
    """Where the next TwiML comes from; None to go on with the next verb. Raises: CallEnded, LineOver, LineCut."""
    following: Source | None = None
    stage.line.floor = AGENT_SPEAKS_ON if isinstance(verb, _OF_THE_AGENT) else UNKNOWN
    match verb:
        case Stream():
            following = await _stream(stage, verb, is_commanded)
        case Relay():
            following = await relay(stage, verb)
        case Gather():
            following = await gather(stage, verb)
        case Say() | Play() | Pause():
            await perform_prompts(stage, [verb])
        case Record():
            following = await record(stage, verb)
        case StartRecording(callback, channels, track):
            stage.line.start()
            start_recording(stage, RecordingWish(callback, channels, track, "StartCallRecordingTwiML"))
        case Dial():
            following = await dial(stage, verb)
        case Redirect(url, method):
            following = Source(url, method)
        case Hangup() | Reject():
            raise CallEnded("completed", "the app hung up")
    return following


async def _stream(stage: Stage, verb: Stream, is_commanded: Callable[[], bool]) -> Source | None:
    context, notices = stage.context, stage.notices
    stream = MediaStream(context, verb)
    end = None
    try:
        socket = await stream.open()
        context.state.taken_up = True
        notices.stream(verb, stream.sid, "stream-started")
        end = await stream.run(socket, is_commanded)
    except CarrierFault as fault:
        stage.note(fault)
        notices.stream(verb, stream.sid, "stream-error", fault.message)
    if end is StreamEnd.VANISHED:
        raise CallEnded("completed", end.value)
    if end is StreamEnd.BROKE:
        notices.stream(verb, stream.sid, "stream-error", end.value)
    notices.stream(verb, stream.sid, "stream-stopped")
    if end in (StreamEnd.CALLER_HUNG_UP, StreamEnd.TIME_LIMIT):
        raise CallEnded("completed", end.value)
    if not is_commanded() and verb.action is not None:
        return Source(verb.action, verb.action_method, None, [("StreamSid", stream.sid)])
    return None
