"""A flow puts a caller through: a person is called at a number and joined with the caller.

Source: https://docs.aws.amazon.com/connect/latest/APIReference/participant-actions-transferparticipanttothirdparty.html
"""

from __future__ import annotations

from typing import Any, Final

from local_stack.phones import tones
from local_stack.phones.call_files import LineTracks
from local_stack.phones.connect.stage import Stage
from local_stack.phones.conversation import Conversation, Phase
from local_stack.phones.events import EventLog
from local_stack.phones.lines import is_phone_number
from local_stack.phones.mixer import Member, Mixer
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.phone_line import PhoneLine

_MOST_KEYS: Final = 50
_KEYS: Final = frozenset("0123456789,*#")


async def put_through(stage: Stage, number: str, ring_s: int, keys: str) -> str:
    """The kind of error if nobody was reached; "" once the other side has hung up. Raises: LineOver, LineCut."""
    if not is_phone_number(number) or len(keys) > _MOST_KEYS or not _KEYS.issuperset(keys):
        stage.complain("a transfer goes to a number in E.164, with at most 50 keys of 0-9 , * #")
        return "NoMatchingError"
    person = stage.people.get(number, CalledPerson())
    stage.log.add("dialled", to=number)
    await _ring(stage, min(person.ring_ms / 1000, float(ring_s)))
    if person.callee is Callee.NO_ANSWER or (person.callee.picks_up and person.ring_ms > ring_s * 1000):
        return "ConnectionTimeLimitExceeded"
    if not person.callee.picks_up:
        return "CallFailed"
    await _talk(stage, person, number, keys)
    return ""


async def _ring(stage: Stage, seconds: float) -> None:
    line, left_s = stage.line, seconds

    def ring() -> bool:
        if not line.playback.audible_waiting and not line.playback.waiting_ms:
            line.play(tones.ringing())
        return False

    await line.until(ring, left_s)
    line.playback.clear()


async def _talk(stage: Stage, person: CalledPerson, number: str, keys: str) -> None:
    """Both hear each other until one of them hangs up."""

    def tell(name: str, at_ms: float, facts: dict[str, Any]) -> None:
        stage.log.add("third_party", at_ms, what=name, **facts)

    conversation = Conversation(person.plan, person.utterances, tell)
    log = EventLog(stage.line.clock.wall_ms)
    other = PhoneLine(stage.line.clock, log, conversation, LineTracks(), max_call_ms=3_600_000)
    if keys:
        stage.log.add("keys_sent", digits=keys)
        other.play(tones.keys(keys.replace(",", "w")))
    mixer = Mixer()
    mixer.join(Member("caller", stage.line))
    mixer.join(Member("callee", other))
    stage.log.add("bridged", to=number)
    other.start()
    try:
        await stage.line.until(lambda: conversation.phase is Phase.DONE)
    finally:
        mixer.leave("caller")
        mixer.leave("callee")
        await other.stop()
