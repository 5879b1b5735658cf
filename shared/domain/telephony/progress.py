"""How far a call has come: providers tell it late, twice and out of order, and it moves forward only.

Of two states the one with the higher rank wins, and of two ends the first that we were told. What is known beside the
state (who took the call, how long it lasted, what it cost) may come after the end, and adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class CallState(StrEnum):
    CREATED = "created"
    """We mean to dial, and nobody has been told yet."""
    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELED = "canceled"
    """Given up before it was answered."""
    FAILED = "failed"

    @property
    def is_end(self) -> bool:
        return _RANK[self] == _END


class AnsweredBy(StrEnum):
    """Who took the call: an annotation, not a state, since the call goes on."""

    UNKNOWN = "unknown"
    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"


_END = 4
_RANK = {CallState.CREATED: 0, CallState.QUEUED: 1, CallState.RINGING: 2, CallState.IN_PROGRESS: 3}
_RANK |= {state: _END for state in CallState if state not in _RANK}
_SURER = {by: rank for rank, by in enumerate(AnsweredBy)}
"""A greeting is taken for a person's before it turns out to be a machine's, not the other way round."""

ENDS = frozenset(state for state in CallState if state.is_end)


def moves_forward(current: CallState, proposed: CallState) -> bool:
    """Whether `proposed` may replace `current`; the first end stands."""
    return _RANK[proposed] > _RANK[current]


def is_surer(current: AnsweredBy | None, proposed: AnsweredBy) -> bool:
    """Whether `proposed` may replace `current`."""
    return current is None or _SURER[proposed] > _SURER[current]


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a provider's events tell of a call. `price` is as the provider writes it, with its currency."""

    state: CallState = CallState.CREATED
    answered_by: AnsweredBy | None = None
    duration_s: float | None = None
    price: str = ""

    def after(
        self,
        state: CallState | None = None,
        *,
        answered_by: AnsweredBy | None = None,
        duration_s: float | None = None,
        price: str = "",
    ) -> Standing:
        """What stands when this is told as well; being told it again changes nothing."""
        durations = [given for given in (self.duration_s, duration_s) if given is not None]
        surer = answered_by is not None and is_surer(self.answered_by, answered_by)
        return replace(
            self,
            state=state if state is not None and moves_forward(self.state, state) else self.state,
            answered_by=answered_by if surer else self.answered_by,
            duration_s=max(durations, default=None),
            price=price or self.price,
        )
