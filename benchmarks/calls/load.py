"""What a number of calls at once came to: times, faults, and what each part of the stack used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.calls.exchange import PARTS, Exchange
from benchmarks.calls.placing import Placed, Wish
from benchmarks.measuring.distribution import Distribution
from benchmarks.measuring.processes import Stat, cpu_ms, memory_mb

LAG_LIMIT_MS = 20.0
"""Above this the callers themselves were too slow, and the run says nothing."""
LATE_MS = 100.0
"""A reply's frame that is due and comes so much later counts as late."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU (ms so far) and memory (MB) of each part."""

    cpu_ms: dict[str, float]
    memory_mb: dict[str, float]

    @classmethod
    def of(cls, pids: Mapping[str, int], stats: list[Stat]) -> Usage:
        return cls(
            {name: cpu_ms(stats, pid) for name, pid in pids.items()},
            {name: round(memory_mb(stats, pid), 1) for name, pid in pids.items()},
        )


@dataclass(frozen=True, slots=True)
class Load:
    """One row of the result."""

    calls: int
    patience_ms: int
    turns: int
    unanswered: int
    split: int
    voice_to_voice: Distribution | None
    overhead: Distribution | None
    pipeline: Distribution | None
    parts: dict[str, Distribution | None]
    interruption_stop: Distribution | None
    underruns: int
    late_frames: int
    errors: tuple[str, ...]
    lag_p99_ms: float
    call_seconds: float
    cpu_ms_per_call_s: dict[str, float] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return self.lag_p99_ms <= LAG_LIMIT_MS

    @property
    def cpu_whole(self) -> float:
        """CPU of the whole stack, in ms per second of a call."""
        return round(sum(self.cpu_ms_per_call_s.values()), 1)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "cpu_ms_per_call_s_whole": self.cpu_whole, "valid": self.is_valid}


def summarize(wish: Wish, placed: Sequence[Placed], found: Sequence[Exchange], before: Usage, after: Usage) -> Load:
    """Put the calls of one wish together. Parts and overheads are of turns that were not split."""
    whole = [each for each in found if not each.is_split]
    holes = [hole for each in found for hole in each.underruns]
    seconds = sum(call.duration_s for call in placed)
    return Load(
        calls=wish.calls,
        patience_ms=wish.patience_ms,
        turns=wish.calls * wish.turns,
        unanswered=wish.calls * wish.turns - sum(each.voice_to_voice is not None for each in found),
        split=sum(each.is_split for each in found if each.voice_to_voice is not None),
        voice_to_voice=Distribution.of(each.voice_to_voice for each in found),
        overhead=Distribution.of(each.overhead(wish.patience_ms) for each in whole),
        pipeline=Distribution.of(each.pipeline for each in whole),
        parts={name: Distribution.of(each.parts[name] for each in whole) for name in PARTS},
        interruption_stop=Distribution.of(each.interruption_stop for each in found),
        underruns=len(holes),
        late_frames=sum(hole > LATE_MS for hole in holes),
        errors=tuple(error for call in placed for error in call.errors),
        lag_p99_ms=round(max(call.lag_p99_ms for call in placed), 1),
        call_seconds=round(seconds, 1),
        cpu_ms_per_call_s={
            name: round((used - before.cpu_ms.get(name, 0.0)) / seconds, 1) for name, used in after.cpu_ms.items()
        }
        if seconds
        else {},
        memory_mb=after.memory_mb,
    )
