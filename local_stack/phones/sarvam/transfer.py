"""A voice agent's tool for it is used: somebody is called at a number, and the caller is put through.

Whether the agent comes back where nobody answers is not documented; here it does.
Source: https://docs.sarvam.ai/voice-agents/build/tools/call-transfer
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any, Final

from local_stack.phones.lines import is_phone_number
from local_stack.phones.other_party import OtherParty, ring
from local_stack.phones.people import CalledPerson
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.sarvam.options import CallOptions

TOOL: Final = "call_transfer"
DESTINATION: Final = "transfer_number"
"""The agent's variable that is entered as the destination of the tool."""
_LONGEST_RING_S: Final = 30.0
_LONGEST_TALK_S: Final = 3600.0
_QUOTED: Final = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Order:
    """What the model makes of what it is told: what it says first, and to whom the caller goes."""

    words: str
    to: str


def ordered(message_to_llm: str, context: dict[str, Any]) -> Order | None:
    """The transfer that the model is told to do, if it is."""
    if TOOL not in message_to_llm:
        return None
    quoted = _QUOTED.search(message_to_llm)
    to = (context.get("agent_variables") or {}).get(DESTINATION)
    return Order(quoted[1] if quoted else "", to if isinstance(to, str) else "")


async def put_through(options: CallOptions, line: PhoneLine, to: str) -> bool:
    """Until one of the two has hung up; False if nobody was reached. Raises: LineOver, LineCut."""
    if not is_phone_number(to):
        line.log.add("carrier_error", code="transfer", message=f"the destination of {TOOL} is no number: {to!r}")
        return False
    person = options.people.get(to, CalledPerson())
    line.log.add("dialled", to=to)
    await ring(line, min(person.ring_ms / 1000, _LONGEST_RING_S))
    if not person.callee.picks_up or person.ring_ms / 1000 > _LONGEST_RING_S:
        line.log.add("transfer_failed", to=to, status=person.callee.value)
        return False
    numbers = (options.agent_number, to)
    party = OtherParty(person, str(uuid.uuid4()), numbers, line.clock, options.state_dir)
    try:
        party.pick_up()
        line.log.add("bridged", to=to)
        await party.talk_with(line, _LONGEST_TALK_S)
    finally:
        await party.hang_up()
    return True
