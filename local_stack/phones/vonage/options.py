"""What is known of a call before it is placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, People
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.utterance import Utterance
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.misbehaviour import Misbehaviours
from local_stack.phones.vonage.ncco import Action


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True)
class MachineDetection:
    """`mode`: default (beside the call), detect (before it), detect_beep. `hangs_up`: on a machine."""

    mode: str
    hangs_up: bool
    beep_timeout_s: float = 45.0


@dataclass(frozen=True)
class CallOptions:
    """Numbers in E.164 with their plus sign. `ncco`, where the call begins without asking for it."""

    account: Account
    direction: Direction
    from_number: str
    to_number: str
    answer_url: str | None
    event_url: str | None
    speech: ProviderSpeech
    people: People
    fallback_url: str | None = None
    ncco: Sequence[Action] | None = None
    utterances: Sequence[Utterance] = ()
    plan: Plan = field(default_factory=lambda: Plan(speaks=False))
    murmur: Utterance | None = None
    misbehaviours: Misbehaviours = frozenset()
    max_call_ms: int = 300_000
    state_dir: Path | None = None
    person: CalledPerson = field(default_factory=CalledPerson)
    """Who is called, where the app calls."""
    ring_s: float = 60.0
    detection: MachineDetection | None = None

    @property
    def own_number(self) -> str:
        """The app's."""
        return self.to_number if self.direction is Direction.INBOUND else self.from_number
