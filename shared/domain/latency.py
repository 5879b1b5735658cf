"""How long the caller waited for the first sound of an answer, and for what, stage by stage.

A turn's moments do not come one after the other: with speculation the words, the first token and even the first
sound may be there before the turn is over. The wait is therefore divided by what it was *still* waiting for: going
through the stages in order, each gets the time from where the stages before it were all done to where it is done
too. What was ready by then gets 0. So no part is negative, and together they are exactly the wait:

    speech ended at 0, words at 210, first token at 410, turn over at 540, first frame at 543
    decision 540, transcript 0, first_token 0, …, first_frame_sent 3;  prepared: transcript 330, first_token 130
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.ledger import Moment


class Stage(StrEnum):
    """What the caller waits for, in this order."""

    DECISION = "decision"
    TRANSCRIPT = "transcript"
    FIRST_TOKEN = "first_token"  # noqa: S105 - a token of text
    FIRST_SENTENCE = "first_sentence"
    FIRST_AUDIO_BYTE = "first_audio_byte"
    FIRST_FRAME_SENT = "first_frame_sent"


_DONE_AT: dict[Stage, Moment] = {
    Stage.DECISION: Moment.TURN_ENDED,
    Stage.TRANSCRIPT: Moment.TRANSCRIPT,
    Stage.FIRST_TOKEN: Moment.FIRST_TOKEN,
    Stage.FIRST_SENTENCE: Moment.FIRST_SENTENCE,
    Stage.FIRST_AUDIO_BYTE: Moment.FIRST_AUDIO_BYTE,
    Stage.FIRST_FRAME_SENT: Moment.FIRST_FRAME_SENT,
}


@dataclass(frozen=True, slots=True)
class Latency:
    """All in milliseconds, to a tenth.

    `total_ms`: from the end of speech to the answer's first frame. `parts_ms`: what of it each stage took, in order;
    a stage whose moment is not known has no part, its time is in the next one's. `prepared_ms`: how long before the
    decision a stage was done already. `filler_ms`: when, after the end of speech, a filler was spoken meanwhile.
    """

    total_ms: float
    parts_ms: Mapping[Stage, float]
    prepared_ms: Mapping[Stage, float]
    filler_ms: float | None = None

    @property
    def speculation(self) -> bool:
        """Whether the answer had begun before the turn was over."""
        return Stage.FIRST_TOKEN in self.prepared_ms

    def to_json(self) -> dict[str, Any]:
        """As clients see it; what is not known is not there."""
        filler = {} if self.filler_ms is None else {"filler_ms": self.filler_ms}
        return {
            "total_ms": self.total_ms,
            "parts_ms": {stage.value: took_ms for stage, took_ms in self.parts_ms.items()},
            "prepared_ms": {stage.value: before_ms for stage, before_ms in self.prepared_ms.items()},
            "speculation": self.speculation,
            **filler,
        }


def latency_of(moments: Mapping[str, float]) -> Latency | None:
    """The wait of a turn, or None where there was none: a greeting, an answer not (yet) heard, clocks at odds."""
    zero_ms, first_frame_ms = moments.get(Moment.SPEECH_ENDED), moments.get(Moment.FIRST_FRAME_SENT)
    if zero_ms is None or first_frame_ms is None or first_frame_ms < zero_ms:
        return None
    after_ms = {moment: round(at_ms - zero_ms, 1) for moment, at_ms in moments.items()}
    total_ms = after_ms[Moment.FIRST_FRAME_SENT]
    filler_ms = after_ms.get(Moment.FILLER)
    return Latency(
        total_ms=total_ms,
        parts_ms=_parts(after_ms, total_ms),
        prepared_ms=_prepared(after_ms),
        filler_ms=filler_ms if filler_ms is not None and 0 <= filler_ms <= total_ms else None,
    )


def _parts(after_ms: Mapping[str, float], total_ms: float) -> dict[Stage, float]:
    parts: dict[Stage, float] = {}
    waited_ms = 0.0
    for stage, moment in _DONE_AT.items():
        if moment in after_ms:
            until_ms = min(max(after_ms[moment], waited_ms), total_ms)
            parts[stage] = round(until_ms - waited_ms, 1)
            waited_ms = until_ms
    return parts


def _prepared(after_ms: Mapping[str, float]) -> dict[Stage, float]:
    decided_ms = after_ms.get(Moment.TURN_ENDED)
    if decided_ms is None:
        return {}
    return {
        stage: round(decided_ms - after_ms[moment], 1)
        for stage, moment in _DONE_AT.items()
        if moment in after_ms and after_ms[moment] < decided_ms
    }


def interruption_ms(moments: Mapping[str, float]) -> float | None:
    """From the caller's first sound to the cleared line, or None if the answer was not interrupted."""
    began_ms, cleared_ms = moments.get(Moment.INTERRUPTED), moments.get(Moment.CLEARED)
    if began_ms is None or cleared_ms is None or cleared_ms < began_ms:
        return None
    return round(cleared_ms - began_ms, 1)
