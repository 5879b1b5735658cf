"""A flow puts a caller through: a person is called at a number and joined with the caller.

Source: https://docs.aws.amazon.com/connect/latest/APIReference/participant-actions-transferparticipanttothirdparty.html
"""

from __future__ import annotations

import uuid
from typing import Final

from local_stack.phones.connect.stage import Stage
from local_stack.phones.floor import UNKNOWN
from local_stack.phones.lines import is_phone_number
from local_stack.phones.other_party import OtherParty, ring
from local_stack.phones.people import CalledPerson, Callee

_LONGEST_TALK_S: Final = 3600.0
_MOST_KEYS: Final = 50
_KEYS: Final = frozenset("0123456789,*#")


async def put_through(stage: Stage, number: str, ring_s: int, keys: str) -> str:
    """The kind of error if nobody was reached; "" once the other side has hung up. Raises: LineOver, LineCut."""
    if not is_phone_number(number) or len(keys) > _MOST_KEYS or not _KEYS.issuperset(keys):
        stage.complain("a transfer goes to a number in E.164, with at most 50 keys of 0-9 , * #")
        return "NoMatchingError"
    person = stage.people.get(number, CalledPerson())
    stage.log.add("dialled", to=number)
    stage.line.floor = UNKNOWN
    await ring(stage.line, min(person.ring_ms / 1000, float(ring_s)))
    if person.callee is Callee.NO_ANSWER or (person.callee.picks_up and person.ring_ms > ring_s * 1000):
        return "ConnectionTimeLimitExceeded"
    if not person.callee.picks_up:
        return "CallFailed"
    await _talk(stage, person, number, keys)
    return ""


async def _talk(stage: Stage, person: CalledPerson, number: str, keys: str) -> None:
    """Both hear each other until one of them hangs up."""
    numbers = (stage.contact.system, number)
    party = OtherParty(person, str(uuid.uuid4()), numbers, stage.line.clock, stage.state_dir)
    if keys:
        stage.log.add("keys_sent", digits=keys)
    try:
        party.pick_up(keys.replace(",", "w"))
        stage.log.add("bridged", to=number)
        await party.talk_with(stage.line, _LONGEST_TALK_S)
    finally:
        await party.hang_up()
