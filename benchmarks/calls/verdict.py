"""What several loads say together: how many calls one core holds, what a further call takes, which goals are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.calls.load import LATE_MS, Load
from benchmarks.measuring.distribution import Distribution
from benchmarks.measuring.usage import slope

SLOWER = 1.3
"""A core holds so many calls as long as their p95 is within this many times one call's."""


_CALLS = 30
"""So many one core has to hold; smaller loads alone do not tell whether it does."""


@dataclass(frozen=True, slots=True)
class Held:
    """Whether a load was held, and why not."""

    calls: int
    times_slower: float | None
    faults: tuple[str, ...]

    @property
    def is_held(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        slower = "–" if self.times_slower is None else f"{self.times_slower:.2f} ×"
        return slower + (": held" if self.is_held else f": {', '.join(self.faults)}")


def held(loads: Sequence[Load]) -> list[Held]:
    """Each load beside one call; without that none is held."""
    alone = next((load.at_wire for load in loads if load.calls == 1), None)
    return [_held(load, alone) for load in loads]


def _held(load: Load, alone: Distribution | None) -> Held:
    slower = None if load.at_wire is None or alone is None else load.at_wire.p95 / alone.p95
    faults = []
    if slower is None:
        faults.append("no single call beside it")
    elif slower > SLOWER:
        faults.append(f"p95 beyond {SLOWER} ×")
    if load.late_frames:
        faults.append(f"{load.late_frames} frames later than {LATE_MS:.0f} ms")
    if load.unanswered:
        faults.append(f"{load.unanswered} turns without an answer")
    if not load.is_valid:
        faults.append("the callers were too slow themselves")
    return Held(load.calls, slower, tuple(faults))


def most_held(results: Sequence[Held]) -> int:
    """The most calls that were held, all smaller loads being held too; 0 for none."""
    most = 0
    for each in sorted(results, key=lambda result: result.calls):
        if not each.is_held:
            break
        most = each.calls
    return most


def memory_per_call_mb(loads: Sequence[Load]) -> dict[str, float]:
    """What a further call takes at the peak, by part; empty where there is one load only.

    `whole stack` adds up the parts that grow: one that gives memory back in the meantime makes up for nothing.
    """
    if len({load.calls for load in loads}) < 2:
        return {}
    found = {
        part: slope({float(load.calls): load.peak_mb.get(part, 0.0) for load in loads}) for part in loads[-1].peak_mb
    }
    known = {part: round(value, 2) for part, value in found.items() if value is not None}
    return {"whole stack": round(sum(mb for mb in known.values() if mb > 0), 2), **known}


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of what is to be reached: where a measured value must stay below, or reach."""

    name: str
    best_peer: str
    limit: float
    measured: float | None
    unit: str = "ms"
    at_least: bool = False

    @property
    def is_met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def row(self) -> list[object]:
        told = "not measured" if self.is_met is None else "yes" if self.is_met else "no"
        value = None if self.measured is None else f"{self.measured:g} {self.unit}".strip()
        return [
            self.name,
            self.best_peer,
            f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".strip(),
            value,
            told,
        ]


def goals(loads: Sequence[Load], plain: Load | None) -> list[Goal]:
    """The goals that this benchmark can judge. `plain`: one call without speculation."""
    alone = min(loads, key=lambda load: load.calls)
    twenty = next((load for load in loads if load.calls == 20), None)
    further = memory_per_call_mb(loads)
    wire_p50, wire_p95 = _percentiles(alone.at_wire)
    stop_p50, stop_p95 = _percentiles(alone.interruption_stop)
    plain_p50, plain_p95 = _percentiles(plain.pipeline if plain else None)
    cpu_whole = twenty.cpu_whole if twenty else None
    cpu_app = twenty.cpu_ms_per_call_s.get("app") if twenty else None
    results = held(loads)
    calls, failed = most_held(results), any(not each.is_held for each in results)
    patience = f"{alone.patience_ms} ms of patience"
    return [
        Goal(f"voice to voice p50, {patience}", "872 at 100 ms", 600, wire_p50),
        Goal(f"voice to voice p95, {patience}", "–", 700, wire_p95),
        Goal("beyond services and decision, no speculation, p50", "102", 15, plain_p50),
        Goal("beyond services and decision, no speculation, p95", "–", 40, plain_p95),
        Goal("interruption → clear or silence, p50", "145", 120, stop_p50),
        Goal("interruption → clear or silence, p95", "–", 200, stop_p95),
        Goal("calls on one core", "7–15", _CALLS, calls if failed or calls >= _CALLS else None, "", at_least=True),
        Goal("CPU per call-second, 20 calls, whole stack", "50 and more", 35, cpu_whole),
        Goal("CPU per call-second, 20 calls, app", "–", 25, cpu_app),
        Goal("memory per further call, whole stack", "4", 3, further.get("whole stack"), "MB"),
    ]


def _percentiles(found: Distribution | None) -> tuple[float | None, float | None]:
    return (None, None) if found is None else (found.p50, found.p95)
