"""The people who can be called: how somebody behaves at whose number the phone rings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from local_stack.phones.conversation import Plan
from local_stack.phones.utterance import Utterance


class Callee(StrEnum):
    """What a called number does. Each provider has its own words for it in its callbacks."""

    ANSWERS = "answers"
    MACHINE = "machine"
    """An answering machine: it speaks its greeting (the utterances), beeps and records."""
    FAX = "fax"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    """Rings until the provider gives up."""
    REJECTS = "rejects"
    FAILED = "failed"
    """A number that cannot be reached."""

    @property
    def picks_up(self) -> bool:
        return self in (Callee.ANSWERS, Callee.MACHINE, Callee.FAX)


@dataclass(frozen=True)
class CalledPerson:
    """How the person behaves who is called at a number; who is not described answers and listens."""

    callee: Callee = Callee.ANSWERS
    ring_ms: int = 500
    """How long it rings before that happens."""
    utterances: Sequence[Utterance] = ()
    plan: Plan = field(default_factory=lambda: Plan(speaks=False))
    misbehaviours: frozenset[str] = frozenset()


People = dict[str, CalledPerson]
"""By number, in E.164 form with its plus sign."""
