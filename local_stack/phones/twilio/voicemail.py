"""`<Record>`: what the caller says after the beep is kept, and the app told where."""

from __future__ import annotations

from local_stack.phones import g711, tones
from local_stack.phones.phone_line import FRAME_S
from local_stack.phones.provider_ear import ProviderEar
from local_stack.phones.twilio.forms import Fields, recording_url
from local_stack.phones.twilio.recordings import Recording
from local_stack.phones.twilio.stage import Stage, asked
from local_stack.phones.twilio.verbs import Record
from local_stack.phones.twilio.voice_webhook import Source


async def record(stage: Stage, verb: Record) -> Source | None:
    """Raises: LineOver, LineCut."""
    context, line = stage.context, stage.line
    if verb.play_beep:
        line.play(tones.beep())
        await line.until(lambda: not line.playback.audible_waiting)
    account_sid = context.options.account.sid
    recording = Recording(context.sid, account_sid, context.now_ms(), 1, "RecordVerb", "inbound")
    callback = verb.callback
    if callback is not None:
        recording.on_change = lambda one: stage.notices.recording(one, callback)
    context.carrier.recordings.add(recording)
    recording.begin(line)
    ear = ProviderEar(end_silence_ms=verb.timeout_s * 1000)
    line.listeners.append(ear.take)
    try:
        ended_by = await _until_done(stage, verb, ear)
    finally:
        line.listeners.remove(ear.take)
        recording.stop(context.now_ms())
    return asked(verb.action, _fields(stage, recording, ended_by))


async def _until_done(stage: Stage, verb: Record, ear: ProviderEar) -> str:
    """The key that ended it, or nothing for silence or the time limit."""
    quiet_s, passed_s = 0.0, 0.0
    while quiet_s < verb.timeout_s and passed_s < verb.max_length_s:
        frame = await stage.line.tick()
        passed_s += FRAME_S
        quiet_s = 0.0 if g711.is_audible(frame.said) else quiet_s + FRAME_S
        if ear.digits and (digit := ear.digits.popleft()) in verb.finish_on_key:
            return digit
    return ""


def _fields(stage: Stage, recording: Recording, ended_by: str) -> Fields:
    return [
        ("RecordingSid", recording.sid),
        ("RecordingUrl", recording_url(stage.context.carrier.api_url, recording)),
        ("RecordingDuration", str(recording.duration_s)),
        ("Digits", ended_by),
    ]
