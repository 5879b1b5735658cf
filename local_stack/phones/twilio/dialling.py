"""`<Dial>`: other people are called and joined with the caller, or the caller goes into a conference.

Source: https://www.twilio.com/docs/voice/twiml/dial
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from local_stack.phones import tones
from local_stack.phones.call_result import CallResult
from local_stack.phones.mixer import Member, Mixer
from local_stack.phones.phone_line import LineOver
from local_stack.phones.provider_ear import ProviderEar
from local_stack.phones.twilio.context import Leg
from local_stack.phones.twilio.forms import Fields, recording_url
from local_stack.phones.twilio.misbehaviour import known_misbehaviours
from local_stack.phones.twilio.options import Direction, RecordingWish
from local_stack.phones.twilio.recordings import Recording
from local_stack.phones.twilio.rooms import Participant, Room
from local_stack.phones.twilio.stage import Stage, asked
from local_stack.phones.twilio.verbs import Conference, Dial, Number
from local_stack.phones.twilio.voice_webhook import Source
from local_stack.phones.twilio.waiting_room import wait_in

_LEG_ENDS_WITHIN_S: Final = 5.0


async def dial(stage: Stage, verb: Dial) -> Source | None:
    """What the app wants next, or None to go on with the next verb. Raises: LineOver, LineCut."""
    if verb.conference is not None:
        return await _confer(stage, verb, verb.conference)
    return await _Dialling(stage, verb).run()


def start_recording(stage: Stage, wish: RecordingWish) -> Recording:
    """Records the stage's line from now on."""
    context = stage.context
    recording = Recording(
        context.sid, context.options.account.sid, context.now_ms(), wish.channels, wish.source, wish.track
    )
    callback = wish.callback
    if callback is not None:
        recording.on_change = lambda one: stage.notices.recording(one, callback)
    context.carrier.recordings.add(recording)
    recording.begin(stage.line)
    return recording


@dataclass(frozen=True)
class _Ringing:
    """Somebody who is being called."""

    leg: Leg
    task: asyncio.Task[CallResult]


class _Dialling:
    """Calls all numbers at once; who picks up first is joined with the caller."""

    def __init__(self, stage: Stage, verb: Dial) -> None:
        self._stage = stage
        self._verb = verb
        self._line = stage.line
        self._legs: list[_Ringing] = []

    async def run(self) -> Source | None:
        recording: Recording | None = None
        joined: _Ringing | None = None
        try:
            self._legs = [self._call(number) for number in self._verb.nouns]
            joined = await self._until_somebody_picks_up()
            if joined is not None:
                recording = self._record()
                await self._talk(joined)
        except LineOver:
            await _end(self._legs)
            if (farewell := asked(self._verb.action, self._fields(joined, recording))) is not None:
                self._stage.farewells.append(farewell)
            raise
        finally:
            if recording is not None:
                recording.stop(self._stage.context.now_ms())
            await _end(self._legs)
        return asked(self._verb.action, self._fields(joined, recording))

    def _call(self, number: Number) -> _Ringing:
        context, verb = self._stage.context, self._verb
        person = context.carrier.person_at(number.number)
        callback = number.callback
        options = replace(
            context.options,
            from_number=verb.caller_id or context.options.from_number,
            to_number=number.number,
            voice_url=number.url,
            voice_method=number.method,
            twiml=None,
            fallback_url=None,
            status_url=callback.url if callback else None,
            status_method=callback.method if callback else "POST",
            status_events=callback.events if callback else frozenset(),
            direction=Direction.DIALLED,
            parent_sid=context.sid,
            callee=person.callee,
            ring_ms=person.ring_ms,
            ring_timeout_ms=verb.timeout_s * 1000,
            send_digits=number.send_digits,
            machine_detection=None,
            record=None,
            utterances=person.utterances,
            plan=person.plan,
            murmur=None,
            misbehaviours=known_misbehaviours(person.misbehaviours),
        )
        leg, task = context.carrier.place_leg(options)
        self._stage.log.add("dialled", call_sid=leg.sid, to=number.number)
        return _Ringing(leg, task)

    async def _until_somebody_picks_up(self) -> _Ringing | None:
        """The caller hears it ring meanwhile. None if nobody does."""
        line = self._line

        def is_settled() -> bool:
            if not line.playback.audible_waiting and not line.playback.waiting_ms:
                line.play(tones.ringing())
            return self._ready() is not None or all(one.task.done() for one in self._legs)

        await line.until(is_settled)
        line.playback.clear()
        return self._ready()

    def _ready(self) -> _Ringing | None:
        return next((one for one in self._legs if one.leg.ready.is_set() and not one.task.done()), None)

    async def _talk(self, joined: _Ringing) -> None:
        """Both hear each other until one of them hangs up or the time is over."""
        await _end([one for one in self._legs if one is not joined])
        mixer = Mixer()
        mixer.join(Member("caller", self._line))
        mixer.join(Member("callee", joined.leg.line))
        self._stage.log.add("bridged", call_sid=joined.leg.sid)
        ear = ProviderEar()
        self._line.listeners.append(ear.take)
        try:
            await self._line.until(
                lambda: joined.task.done() or joined.leg.state.over or self._is_star(ear),
                within_s=self._verb.time_limit_s,
            )
        finally:
            self._line.listeners.remove(ear.take)
            mixer.leave("caller")
            mixer.leave("callee")

    def _is_star(self, ear: ProviderEar) -> bool:
        return self._verb.hangup_on_star and "*" in ear.digits

    def _record(self) -> Recording | None:
        mode = self._verb.record
        if mode == "do-not-record":
            return None
        channels = 2 if mode.endswith("dual") else 1
        return start_recording(self._stage, RecordingWish(self._verb.callback, channels, "both", "DialVerb"))

    def _fields(self, joined: _Ringing | None, recording: Recording | None) -> Fields:
        shown = joined or (self._legs[0] if self._legs else None)
        status = "completed" if joined else shown.leg.state.status if shown else "failed"
        fields: Fields = [("DialCallStatus", status), ("DialBridged", "true" if joined else "false")]
        if shown is not None:
            seconds = shown.leg.state.duration_s
            fields += [("DialCallSid", shown.leg.sid), ("DialCallDuration", str(seconds or 0))]
        if recording is not None:
            fields.append(("RecordingUrl", recording_url(self._stage.context.carrier.api_url, recording)))
        return fields


async def _end(legs: Sequence[_Ringing]) -> None:
    """Hangs up those that are still there, and waits until they are told of."""
    running = [one for one in legs if not one.task.done()]
    for one in running:
        one.leg.end("completed" if one.leg.state.answered_ms is not None else "canceled")
    if running:
        await asyncio.wait({one.task for one in running}, timeout=_LEG_ENDS_WITHIN_S)


async def _confer(stage: Stage, verb: Dial, wanted: Conference) -> Source | None:
    """In the room until the call leaves it, is put out of it, or the conference ends."""
    context = stage.context
    room = context.carrier.rooms.open(context.options.account.sid, wanted.name, context.now_ms())
    if room.callback is None:
        room.callback = wanted.callback
    member = Member(context.sid, stage.line, is_muted=wanted.muted, heard_only_by=wanted.coach)
    participant = Participant(
        member, wanted.label, wanted.start_on_enter, wanted.end_on_exit, beeps_on_exit=wanted.beeps_on_exit
    )
    if len(room.participants) >= wanted.max_participants:
        return asked(verb.action, [("DialCallStatus", "failed")])
    participant.tell = lambda event: stage.notices.room(room, event, participant)
    await _stay(stage, verb, room, participant, wanted)
    return asked(verb.action, [("DialCallStatus", "answered")])


async def _stay(stage: Stage, verb: Dial, room: Room, participant: Participant, wanted: Conference) -> None:
    """Waits for the conference to begin, and then takes part in it. Raises: LineOver, LineCut."""

    def has_left() -> bool:
        return participant.is_sent_away or room.is_over

    stage.line.check()
    stage.line.start()
    begins = room.enter(participant, wanted.beeps_on_enter)
    participant.tell("participant-join")
    if begins:
        stage.notices.room(room, "conference-start")
    try:
        if not room.has_begun:
            await wait_in(stage, wanted, lambda: room.has_begun or has_left())
        await stage.line.until(has_left, within_s=verb.time_limit_s)
    finally:
        ends = room.leave(participant, stage.context.now_ms())
        participant.tell("participant-leave")
        if ends:
            stage.notices.room(room, "conference-end")
