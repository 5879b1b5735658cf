"""What a number of calls at once came to: times, faults, and what each part of the stack used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.calls.exchange import PARTS, Exchange
from benchmarks.calls.placing import Placed, Wish
from benchmarks.measuring.distribution import Distribution
from benchmarks.measuring.usage import Usage

LAG_LIMIT_MS = 20.0
"""Above this the callers themselves were too slow, and the run says nothing."""
LATE_MS = 100.0
"""A reply's frame that is due and comes so much later counts as late."""


@dataclass(frozen=True, slots=True)
class Load:
    """One row of the result."""

    calls: int
    patience_ms: int
    speculates: bool
    reply: str
    turns: int
    unanswered: int
    split: int
    at_wire: Distribution | None
    heard: Distribution | None
    pipeline: Distribution | None
    handing_on: Distribution | None
    parts: dict[str, Distribution | None]
    interruption_stop: Distribution | None
    first_tokens: float | None
    """How many tokens of an answer were spoken first, on average."""
    without_request: int
    """Answers whose beginning needed no synthesis."""
    costs_per_turn: dict[str, float]
    requests_per_turn: dict[str, float]
    underruns: int
    late_frames: int
    errors: tuple[str, ...]
    lag_p99_ms: float
    call_seconds: float
    cpu_ms_per_call_s: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    """Of each part while the calls lasted."""
    kept_mb: dict[str, float] = field(default_factory=dict)
    """Of each part after them."""

    @property
    def is_valid(self) -> bool:
        return self.lag_p99_ms <= LAG_LIMIT_MS

    @property
    def cpu_whole(self) -> float:
        """CPU of the whole stack, in ms per second of a call."""
        return round(sum(self.cpu_ms_per_call_s.values()), 1)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "cpu_ms_per_call_s_whole": self.cpu_whole, "valid": self.is_valid}


def summarize(
    wish: Wish,
    placed: Sequence[Placed],
    found: Sequence[Exchange],
    services: Sequence[Mapping[str, Any]],
    usage: Usage,
) -> Load:
    """Put the calls of one wish together. Parts are of turns that were not split."""
    answered = [each for each in found if each.at_wire is not None]
    whole = [each for each in answered if not each.is_split]
    holes = [hole for each in found for hole in each.underruns]
    seconds = sum(call.duration_s for call in placed)
    tokens = [each.first_tokens for each in whole if each.first_tokens is not None]
    return Load(
        calls=wish.calls,
        patience_ms=wish.patience_ms,
        speculates=wish.speculates,
        reply=wish.reply,
        turns=wish.turns_in_all,
        unanswered=wish.turns_in_all - len(answered),
        split=len(answered) - len(whole),
        at_wire=Distribution.of(each.at_wire for each in found),
        heard=Distribution.of(each.heard for each in found),
        pipeline=Distribution.of(each.pipeline for each in whole),
        handing_on=Distribution.of(each.handing_on for each in whole),
        parts={name: Distribution.of(each.parts.get(name) for each in whole) for name in PARTS},
        interruption_stop=Distribution.of(each.interruption_stop for each in found),
        first_tokens=round(sum(tokens) / len(tokens), 1) if tokens else None,
        without_request=sum(bool(each.parts) and each.first_tokens is None for each in whole),
        costs_per_turn=_costs_per_turn(found),
        requests_per_turn=_requests_per_turn(services, len(answered)),
        underruns=len(holes),
        late_frames=sum(hole > LATE_MS for hole in holes),
        errors=tuple(error for call in placed for error in call.errors),
        lag_p99_ms=round(max(call.lag_p99_ms for call in placed), 1),
        call_seconds=round(seconds, 1),
        cpu_ms_per_call_s={name: round(used / seconds, 1) for name, used in usage.cpu_ms.items()} if seconds else {},
        peak_mb=usage.peak_mb,
        kept_mb=usage.kept_mb,
    )


def _costs_per_turn(found: Sequence[Exchange]) -> dict[str, float]:
    """What the app's ledger counts, on average over the turns that have such a count."""
    counted = [each.costs for each in found if each.costs]
    names = sorted({name for costs in counted for name in costs})
    return {name: round(sum(costs.get(name, 0.0) for costs in counted) / len(counted), 2) for name in names}


def _requests_per_turn(services: Sequence[Mapping[str, Any]], turns: int) -> dict[str, float]:
    """Requests to each service for one answered turn, those for greetings too; `<kind>_given_up`: of them."""
    counts = Counter(str(each["kind"]) for each in services)
    counts.update(f"{each['kind']}_given_up" for each in services if each["aborted_ms"] is not None)
    return {name: round(count / turns, 2) for name, count in sorted(counts.items())} if turns else {}
