"""What many scenes say of the machine: mistakes in percent, delays as distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.conversations.replay import Outcome
from benchmarks.measuring.distribution import Distribution
from shared.domain.turn_taking import Interrupted, PauseBegan, TurnEnded, TurnTaken

EARLY_MS = 60
"""A turn that ends so much before the caller's last sound was cut; quieter ends of words are not counted."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How turns end."""

    count: int
    cut_percent: float
    missed: int
    delay_ms: Distribution | None
    wasted_takes: float | None

    def cells(self) -> list[object]:
        delay = self.delay_ms
        return [
            f"{self.cut_percent:.1f}",
            delay.p50 if delay else None,
            delay.p95 if delay else None,
            self.missed,
            None if self.wasted_takes is None else f"{self.wasted_takes:.2f}",
        ]


def turns(ends: Sequence[tuple[int | None, int]], takes: Sequence[int] | None = None) -> Turns:
    """Of when each turn was said to end (None: never) and when it did; of how many takes were begun in each."""
    cut = sum(ended is not None and ended < end - EARLY_MS for ended, end in ends)
    delays = [ended - end for ended, end in ends if ended is not None and ended >= end - EARLY_MS]
    wasted = None if takes is None else (sum(takes) - sum(ended is not None for ended, _ in ends)) / len(ends)
    missed = sum(ended is None for ended, _ in ends)
    return Turns(len(ends), 100 * cut / len(ends), missed, Distribution.of(delays), wasted)


def turns_of(outcomes: Sequence[Outcome]) -> Turns:
    ends = [(outcome.first_ms(TurnEnded), outcome.scene.end_ms) for outcome in outcomes]
    return turns(ends, [outcome.count(PauseBegan) for outcome in outcomes])


@dataclass(frozen=True, slots=True)
class Overlaps:
    """What happens to the agent while the caller makes a sound: in percent of the scenes, and ms."""

    count: int
    held_percent: float
    stopped_percent: float
    held_ms: Distribution | None
    delay_ms: Distribution | None

    def cells(self) -> list[object]:
        held, delay = self.held_ms, self.delay_ms
        return [
            self.count,
            f"{self.held_percent:.0f}",
            f"{self.stopped_percent:.0f}",
            held.p50 if held else None,
            held.p95 if held else None,
            delay.p50 if delay else None,
            delay.p95 if delay else None,
        ]


def overlaps_of(outcomes: Sequence[Outcome]) -> Overlaps:
    """`held_ms` is of what was no turn, `delay_ms` (from the first loud frame to the hold) of what was one."""
    held = [outcome for outcome in outcomes if outcome.count(Interrupted)]
    stopped = [outcome for outcome in outcomes if outcome.count(TurnTaken)]
    idle = [outcome.held_ms for outcome in held if not outcome.scene.is_turn and not outcome.count(TurnTaken)]
    delays = [
        began - outcome.scene.loud_ms
        for outcome in held
        if outcome.scene.is_turn and (began := outcome.first_ms(Interrupted)) is not None
    ]
    count = len(outcomes)
    shares = 100 * len(held) / count, 100 * len(stopped) / count
    return Overlaps(count, *shares, Distribution.of(idle), Distribution.of(delays))


def plain(figures: Turns | Overlaps) -> dict[str, Any]:
    """For the file of results."""
    return asdict(figures)
