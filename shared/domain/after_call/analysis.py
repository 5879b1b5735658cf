"""What a call came to: as a model is asked for it, and as its answer is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from shared.domain.agents.after_call import AfterCall
from shared.domain.call import Turn

HIGHEST_SCORE = 4
"""Of one criterion: 0 not met, 1 hardly, 2 half, 3 mostly, 4 wholly met."""
_LONGEST_SUMMARY, _LONGEST_REASON, _LONGEST_WORDS = 2_000, 600, 200
_MOST_PROMISES, _MOST_PERSONAL = 20, 60


class Sentiment(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Speech:
    """`speaker`: caller or agent."""

    number: int
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenPromise:
    """What one side has said that it will do, and by when, in the words of the call ("" where nothing was said)."""

    by: str
    what: str
    when: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one criterion of the rubric; `score` from 0 to `HIGHEST_SCORE`."""

    criterion: str
    score: int
    reason: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """`extracted` is None where nothing was asked for, or where `extraction_fault` says why there is none.
    `personal`: names and places that were said, which are hidden wherever they stand.
    """

    summary: str
    outcome: str
    sentiment: Sentiment
    promises: tuple[OpenPromise, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    extracted: Mapping[str, Any] | None = None
    extraction_fault: str = ""
    suspicious_turns: tuple[int, ...] = ()
    """In which somebody spoke to whoever reads the call; the model was not shown what."""
    personal: tuple[str, ...] = field(default=(), compare=False)

    @property
    def quality(self) -> float | None:
        """From 0 to 1: the mean of what was judged; None without a rubric."""
        if not self.judgements:
            return None
        return round(sum(each.score for each in self.judgements) / len(self.judgements) / HIGHEST_SCORE, 3)

    def to_json(self) -> dict[str, Any]:
        """Without what is personal in it by name."""
        return {
            "summary": self.summary,
            "outcome": self.outcome,
            "sentiment": self.sentiment.value,
            "promises": [asdict(promise) for promise in self.promises],
            "quality": self.quality,
            "judgements": [asdict(judgement) | {"of": HIGHEST_SCORE} for judgement in self.judgements],
            "extracted": None if self.extracted is None else dict(self.extracted),
            "extraction_fault": self.extraction_fault or None,
            "suspicious_turns": list(self.suspicious_turns),
        }


def speeches_of(turns: Iterable[Turn]) -> tuple[Speech, ...]:
    """Of an interrupted answer, what was heard of it."""
    found = []
    for turn in turns:
        if turn.heard:
            found.append(Speech(turn.number, "caller", turn.heard))
        if turn.said:
            found.append(Speech(turn.number, "agent", turn.said))
    return tuple(found)


def schema_of(wanted: AfterCall) -> dict[str, Any]:
    """What the answer must be; every part is there, and nothing else."""
    text = {"type": "string"}
    outcome = {"type": "string", "enum": list(wanted.outcomes)} if wanted.outcomes else text
    promise = {"by": {"type": "string", "enum": ["agent", "caller"]}, "what": text, "when": text}
    score = {"type": "integer", "minimum": 0, "maximum": HIGHEST_SCORE}
    parts: dict[str, Any] = {
        "summary": text,
        "outcome": outcome,
        "sentiment": {"type": "string", "enum": [each.value for each in Sentiment]},
        "promises": _list_of(promise),
        "personal": {"type": "array", "items": text},
    }
    if wanted.rubric:
        judged = _object_of({"reason": text, "score": score})
        parts["judgements"] = _object_of({criterion_name(n): judged for n in range(1, len(wanted.rubric) + 1)})
    return _object_of(parts)


def read_analysis(document: Mapping[str, Any], wanted: AfterCall) -> Analysis:
    """Of an answer that fits `schema_of`."""
    return Analysis(
        summary=_cut(document["summary"], _LONGEST_SUMMARY),
        outcome=_cut(document["outcome"], _LONGEST_WORDS),
        sentiment=Sentiment(document["sentiment"]),
        promises=tuple(
            OpenPromise(each["by"], _cut(each["what"], _LONGEST_REASON), _cut(each["when"], _LONGEST_WORDS))
            for each in document["promises"][:_MOST_PROMISES]
        ),
        judgements=_judgements(document.get("judgements", {}), wanted.rubric),
        personal=tuple(_cut(each, _LONGEST_WORDS) for each in document["personal"][:_MOST_PERSONAL] if each.strip()),
    )


def criterion_name(number: int) -> str:
    """What the criteria of a rubric are called between us and the model, counted from 1."""
    return f"criterion_{number}"


def _judgements(given: Mapping[str, Mapping[str, Any]], rubric: Sequence[str]) -> tuple[Judgement, ...]:
    found = [(criterion, given[criterion_name(number)]) for number, criterion in enumerate(rubric, start=1)]
    return tuple(
        Judgement(criterion, int(each["score"]), _cut(each["reason"], _LONGEST_REASON)) for criterion, each in found
    )


def _object_of(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(parts), "required": list(parts), "additionalProperties": False}


def _list_of(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": _object_of(parts)}


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
