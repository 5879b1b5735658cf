"""What is known of a contact before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local_stack.phones.connect.misbehaviour import Misbehaviours
from local_stack.phones.conversation import Plan
from local_stack.phones.lines import is_phone_number, not_a_number
from local_stack.phones.people import Callee
from local_stack.phones.utterance import Utterance


@dataclass(frozen=True)
class ContactOptions:
    """`customer` is the simulated person, whichever side dialled. Raises: ValueError, one line."""

    customer: str
    system: str
    app_url: str
    is_outbound: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    callee: Callee = Callee.ANSWERS
    ring_ms: int = 0
    ring_timeout_ms: int = 60_000
    utterances: Sequence[Utterance] = ()
    plan: Plan = field(default_factory=Plan)
    murmur: Utterance | None = None
    misbehaviours: Misbehaviours = frozenset()
    max_call_ms: int = 300_000
    gateway_number: str = ""
    """Where the instance's flow only hands contacts on: to this number."""

    def __post_init__(self) -> None:
        for number in filter(None, (self.customer, self.system, self.gateway_number)):
            if not is_phone_number(number):
                raise ValueError(not_a_number(number))
        if self.plan.speaks and not self.utterances:
            raise ValueError("a caller that speaks needs at least one utterance")
