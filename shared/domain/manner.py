"""How an agent behaves in a conversation: how it takes turns, and how late its answers may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Interval, Len

from shared.domain.agents.patterns import Pattern
from shared.domain.agents.values import E164, LanguageTag, Milliseconds, Phrase, closed
from shared.domain.telephony.commands import TransferKind


class Sensitivity(StrEnum):
    """How readily sound counts as speech: `low` for noisy surroundings, `high` for quiet callers."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Platform(StrEnum):
    """Whose agents can lead a conversation in our place."""

    SAMVAAD = "samvaad"


@closed
@dataclass(frozen=True, slots=True)
class HandOver:
    """When the caller presses `key`, the call is put through to `to`."""

    key: Annotated[str, Pattern("[0-9*#]")]
    to: E164
    kind: TransferKind = TransferKind.COLD


@closed
@dataclass(frozen=True, slots=True)
class Delegate:
    """An agent of a platform that hears, thinks and speaks itself. `version`: None for its newest."""

    platform: Platform
    app_id: Annotated[str, Pattern("[A-Za-z0-9_.-]{1,128}")]
    version: Annotated[int, Interval(ge=0)] | None = None


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Times are in milliseconds after the end of the caller's turn; 0 switches the measure off.

    `backchannels`: words that do not interrupt; none: those of the language. `speculates`: whether answers are
    prepared at short pauses. `filler_after_ms`: when a filler is spoken if nothing else is ready; `fillers`: its
    phrases; none: those of the language. `apology`: instead of an answer that cannot be had; none: that of the
    language. `race_after_ms`: how long a provider may take to begin before a second
    one is asked beside it. `reply_limit_ms`: when an answer that does not come is given up, with an apology; if
    nobody lives to do that, the watch does it a second later. `hand_over`: the key by which a caller asks for a
    person; None: there is none. `hand_over_numbers`: numbers (E.164) of persons to whom callers may be put
    through besides, whatever else the tenant may dial. `recording_consent`: what is said first of all where the
    provider records the call too; none: it does not. `languages`: tags of those that a call may switch to; none:
    it stays in the agent's own. `delegate`: who leads the conversation instead of us, where a call's sound can be
    brought there.
    """

    sensitivity: Sensitivity = Sensitivity.NORMAL
    backchannels: Annotated[tuple[Phrase, ...], Len(0, 50)] = ()
    speculates: bool = True
    filler_after_ms: Milliseconds = 1500
    fillers: Annotated[tuple[Phrase, ...], Len(0, 50)] = ()
    apology: Annotated[str, Len(0, 500)] = ""
    race_after_ms: Milliseconds = 1500
    reply_limit_ms: Annotated[int, Interval(ge=1_000, le=60_000)] = 8000
    hand_over: HandOver | None = None
    hand_over_numbers: Annotated[tuple[E164, ...], Len(0, 50)] = ()
    recording_consent: Annotated[str, Len(0, 500)] = ""
    languages: Annotated[tuple[LanguageTag, ...], Len(0, 25)] = ()
    delegate: Delegate | None = None

    def trusts(self, number: str) -> bool:
        """Whether an administrator has said that callers may be put through to this number."""
        return number in self.hand_over_numbers or (self.hand_over is not None and number == self.hand_over.to)
