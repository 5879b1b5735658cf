"""What is known of a call before it is placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from local_stack.phones.conversation import Plan
from local_stack.phones.lines import is_phone_number, not_a_number
from local_stack.phones.people import Callee
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.misbehaviour import Misbehaviour, Misbehaviours
from local_stack.phones.twilio.verbs import Callback
from local_stack.phones.utterance import Utterance


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound-api"
    DIALLED = "outbound-dial"
    """The other leg of a call, placed by `<Dial>`."""


NOT_ANSWERED: Final[Mapping[Callee, str]] = {
    Callee.BUSY: "busy",
    Callee.NO_ANSWER: "no-answer",
    Callee.REJECTS: "busy",
    Callee.FAILED: "failed",
}
"""The final status of a call to somebody who does not pick up."""


@dataclass(frozen=True)
class MachineDetection:
    """Whether the carrier finds out who picks up, and whether the TwiML waits for it.

    Source: https://www.twilio.com/docs/voice/answering-machine-detection
    """

    mode: str
    """`Enable` or `DetectMessageEnd`."""
    is_async: bool = False
    callback_url: str | None = None
    callback_method: str = "POST"
    timeout_ms: int = 30_000
    silence_timeout_ms: int = 5000


@dataclass(frozen=True)
class RecordingWish:
    """A recording that is wanted, and who is told of it."""

    callback: Callback | None = None
    channels: int = 1
    track: str = "both"
    source: str = "StartCallRecordingAPI"


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
    ring_timeout_ms: int = 60_000
    parent_sid: str | None = None
    """The call whose `<Dial>` placed this one."""
    send_digits: str = ""
    """Keys that are pressed as soon as somebody picks up."""
    machine_detection: MachineDetection | None = None
    record: RecordingWish | None = None
    """Records from the answer on."""
    utterances: Sequence[Utterance] = ()
    plan: Plan = field(default_factory=Plan)
    murmur: Utterance | None = None
    """What the plan's m says over a reply."""
    misbehaviours: Misbehaviours = frozenset()
    max_call_ms: int = 300_000
    language: str = ""
    """What a recogniser of several languages says that the caller speaks; "": it hears the one that it is told."""
    is_typed: bool = False
    """Words are typed in and read instead of spoken and heard, where the app's line passes words."""
    state_dir: Path | None = None
    """Where `calls/<call sid>/` is written; None writes nothing."""

    def __post_init__(self) -> None:
        for number in (self.from_number, self.to_number):
            if not is_phone_number(number):
                raise ValueError(not_a_number(number))
        if not (self.voice_url or self.twiml) and self.direction is not Direction.DIALLED:
            raise ValueError("a call needs the address of a voice webhook or TwiML")
        if self.voice_url and not self.voice_url.startswith(("http://", "https://")):
            raise ValueError(f"{self.voice_url!r} is not an http address")
        needs_words = self.plan.speaks and not self.plan.improvises
        if needs_words and not self.utterances and Misbehaviour.NEVER_SPEAKS not in self.misbehaviours:
            raise ValueError("a caller that speaks needs at least one utterance")
        if self.plan.speaks and "m" in self.plan.pattern and self.murmur is None:
            raise ValueError("a caller that murmurs needs something to murmur")
