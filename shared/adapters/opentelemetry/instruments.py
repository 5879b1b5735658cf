"""The histograms and counters, what they are called, and which figure of a turn goes into which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.domain.call import Turn
from shared.domain.latency import interruption_ms, latency_of
from shared.domain.ledger import Cost, Moment

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

METER = "voice_agent"

# Finest where the goals are; a stage may take no time at all.
_LATENCY_MS = (100, 200, 300, 400, 450, 500, 550, 600, 650, 700, 800, 900, 1000, 1250, 1500, 2000, 3000, 5000, 8000)
_STAGE_MS = (1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 400, 500, 600, 700, 850, 1000, 1500, 2000, 3000, 5000, 8000)
_INTERRUPTION_MS = (10, 20, 40, 60, 80, 100, 120, 150, 200, 250, 300, 400, 600, 1000, 2000)

_COUNTED: dict[Cost, tuple[str, str, str]] = {
    Cost.TAKES: ("voice_agent.takes", "{take}", "Attempts at an answer"),
    Cost.TAKES_WITHDRAWN: ("voice_agent.takes.withdrawn", "{take}", "Attempts that nobody heard"),
    Cost.TOKENS: ("voice_agent.tokens", "{token}", "Tokens of answers"),
    Cost.TOKENS_WITHDRAWN: ("voice_agent.tokens.withdrawn", "{token}", "Tokens of attempts that nobody heard"),
    Cost.FILLERS: ("voice_agent.fillers", "{filler}", "Fillers spoken because an answer was late"),
    Cost.FALSE_INTERRUPTIONS: (
        "voice_agent.interruptions.false",
        "{interruption}",
        "Times an answer was held and resumed: it was no speech",
    ),
}


class Instruments:
    """Made once from a meter; `record` takes some tens of microseconds."""

    def __init__(self, meter: Meter) -> None:
        self._latency = meter.create_histogram(
            "voice_agent.turn.latency",
            unit="ms",
            description="From the end of the caller's speech to the first frame of the answer",
            explicit_bucket_boundaries_advisory=_LATENCY_MS,
        )
        self._stage = meter.create_histogram(
            "voice_agent.turn.stage.duration",
            unit="ms",
            description="What of that wait each stage took; the stages of a turn add up to its latency",
            explicit_bucket_boundaries_advisory=_STAGE_MS,
        )
        self._interruption = meter.create_histogram(
            "voice_agent.interruption.duration",
            unit="ms",
            description="From the caller's first sound during an answer to the cleared line",
            explicit_bucket_boundaries_advisory=_INTERRUPTION_MS,
        )
        self._turns = meter.create_counter("voice_agent.turns", "{turn}", "Turns that are over, by outcome")
        self._rescued = meter.create_counter(
            "voice_agent.turns.rescued", "{turn}", "Turns that ended with a sentence which needs no provider"
        )
        self._costs = {cost: meter.create_counter(*what) for cost, what in _COUNTED.items()}

    def record(self, turn: Turn, attributes: Mapping[str, str]) -> None:
        latency = latency_of(turn.moments)
        prepared = {"voice_agent.speculation": latency is not None and latency.speculation}
        self._turns.add(1, {**attributes, **prepared, "voice_agent.outcome": turn.outcome.value})
        if Moment.RESCUED in turn.moments:
            self._rescued.add(1, attributes)
        if latency is not None:
            self._latency.record(latency.total_ms, {**attributes, **prepared})
            for stage, took_ms in latency.parts_ms.items():
                self._stage.record(took_ms, {**attributes, "voice_agent.stage": stage.value})
        interruption = interruption_ms(turn.moments)
        if interruption is not None:
            self._interruption.record(interruption, attributes)
        for cost, counter in self._costs.items():
            if amount := turn.costs.get(cost):
                counter.add(amount, attributes)
