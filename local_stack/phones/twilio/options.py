"""What is known of a call before it is placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.account import Account, is_phone_number
from local_stack.phones.twilio.misbehaviour import Misbehaviour, Misbehaviours
from local_stack.phones.utterance import Utterance


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound-api"


class Callee(StrEnum):
    """What a called number does. The values are the final call states of the carrier."""

    ANSWERS = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"


@dataclass(frozen=True)
class CallOptions:
    """One call. The caller is the simulated person, whichever side dialled.

    Raises: ValueError, one line, if the call could not be placed.
    """

    account: Account
    from_number: str
    to_number: str
    voice_url: str | None
    """Where the carrier asks for TwiML."""
    voice_method: str = "POST"
    twiml: str | None = None
    """TwiML given with the call instead of an address."""
    fallback_url: str | None = None
    """Asked when `voice_url` fails, with ErrorCode and ErrorUrl."""
    status_url: str | None = None
    status_method: str = "POST"
    status_events: frozenset[str] = frozenset({"completed"})
    direction: Direction = Direction.INBOUND
    callee: Callee = Callee.ANSWERS
    ring_ms: int = 0
    utterances: Sequence[Utterance] = ()
    plan: Plan = field(default_factory=Plan)
    murmur: Utterance | None = None
    """What the plan's m says over a reply."""
    misbehaviours: Misbehaviours = frozenset()
    max_call_ms: int = 300_000
    state_dir: Path | None = None
    """Where `calls/<call sid>/` is written; None writes nothing."""

    def __post_init__(self) -> None:
        for number in (self.from_number, self.to_number):
            if not is_phone_number(number):
                raise ValueError(f"{number!r} is not a phone number in E.164 form, such as +14155550100")
        if not (self.voice_url or self.twiml):
            raise ValueError("a call needs the address of a voice webhook or TwiML")
        if self.voice_url and not self.voice_url.startswith(("http://", "https://")):
            raise ValueError(f"{self.voice_url!r} is not an http address")
        if self.plan.speaks and not self.utterances and Misbehaviour.NEVER_SPEAKS not in self.misbehaviours:
            raise ValueError("a caller that speaks needs at least one utterance")
        if self.plan.speaks and "m" in self.plan.pattern and self.murmur is None:
            raise ValueError("a caller that murmurs needs something to murmur")
