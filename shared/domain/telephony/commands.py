"""What a provider can be told to do with a call, whichever it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.errors import InvalidRequest

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_KEYS = re.compile(r"[0-9A-D*#wW]{1,32}")
_LONGEST_WHISPER = 500


def is_e164(number: str) -> bool:
    """Whether it is a telephone number that can be dialled, with `+`. Source: ITU-T E.164, 6.2"""
    return _E164.fullmatch(number) is not None


class TransferKind(StrEnum):
    COLD = "cold"
    """The agent leaves as soon as the other end is dialled."""
    WARM = "warm"
    """The person is told first who calls and why; the caller waits, and comes back to the agent if nobody answers."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """`to`: E.164. `whisper`: what the person hears before the caller is put through. `keys`: sent once answered.

    `language`: in which the whisper is; "" where the provider's default does. `longest_s`: after which the provider
    ends it, where it can; 0: as long as they talk.
    """

    to: str
    kind: TransferKind = TransferKind.COLD
    whisper: str = ""
    keys: str = ""
    ring_s: int = 25
    language: str = ""
    longest_s: int = 0

    def __post_init__(self) -> None:
        if not is_e164(self.to):
            raise InvalidRequest("number_malformed", "a transfer goes to a number in E.164, with +")
        if len(self.whisper) > _LONGEST_WHISPER:
            raise InvalidRequest("whisper_too_long", f"a whisper has at most {_LONGEST_WHISPER} characters")
        if self.keys:
            SendKeys(self.keys)
        if not 5 <= self.ring_s <= 120:
            raise InvalidRequest("ring_out_of_range", "ring_s is 5 to 120")
        if self.longest_s and not 60 <= self.longest_s <= 14_400:
            raise InvalidRequest("longest_out_of_range", "longest_s is 60 to 14400")

    @property
    def is_cold(self) -> bool:
        return self.kind is TransferKind.COLD


@dataclass(frozen=True, slots=True)
class SendKeys:
    """DTMF towards the other end; `w` waits half a second, `W` a whole one."""

    keys: str

    def __post_init__(self) -> None:
        if not _KEYS.fullmatch(self.keys):
            raise InvalidRequest("keys_malformed", "keys are 0-9, A-D, *, #, and w or W for a pause; at most 32")


class Voicemail(StrEnum):
    """What to do when a machine answers an outbound call."""

    IGNORE = "ignore"
    """Nobody asks: the agent talks to whoever is there."""
    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"
    """After the beep."""


@dataclass(frozen=True, slots=True)
class Dial:
    """An outbound call. `attempt_id` names this attempt for good: with it a lost answer is cleared up later.

    `asked_ms`: when the provider was asked (Unix epoch), where that is known: it was begun no sooner. `tenant_id`:
    for whom, where a provider's account may be used for some tenants only.
    """

    attempt_id: str
    call_id: str
    to: str
    caller_id: str
    ring_s: int = 30
    longest_s: int = 3600
    voicemail: Voicemail = Voicemail.IGNORE
    message: str = ""
    asked_ms: float = 0.0
    tenant_id: str = ""

    def __post_init__(self) -> None:
        for number in (self.to, self.caller_id):
            if not is_e164(number):
                raise InvalidRequest("number_malformed", "numbers are in E.164, with +")


class DialUncertain(Exception):
    """The provider may or may not have begun the call: it must not be dialled again before that is known."""
