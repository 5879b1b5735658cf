"""The loads of a benchmark as tables for the terminal and for a README."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.calls.exchange import PARTS, services_ms
from benchmarks.calls.load import LATE_MS, Load
from benchmarks.calls.verdict import goals, held, memory_per_call_mb, most_held
from benchmarks.measuring import report
from benchmarks.measuring.distribution import Distribution

_LEAST_MB = 0.5
"""Parts that take less than this are left out of the table of memory."""

Row = Sequence[object]


def spread(found: Distribution | None) -> str:
    """p50/p95/max in whole units."""
    return "–" if found is None else f"{found.p50:.0f}/{found.p95:.0f}/{found.max:.0f}"


def _row(name: str, loads: Sequence[Load], value: Callable[[Load], object]) -> Row:
    return [name, *(value(load) for load in loads)]


def _titles(loads: Sequence[Load]) -> list[str]:
    return [f"{load.calls}{'' if load.is_valid else ' (invalid)'}" for load in loads]


def times(loads: Sequence[Load], titles: Sequence[str] | None = None) -> str:
    """From the end of speech to the answer, its parts, interruptions and faults."""
    rows: list[Row] = [
        _row("voice to voice, at the wire", loads, lambda load: spread(load.at_wire)),
        _row("voice to voice, heard (20 ms ticks)", loads, lambda load: spread(load.heard)),
        _row("  the services' own, one after the other", loads, _ideal),
        _row("  beyond services and decision", loads, _plain_pipeline),
        _row("  handing on from step to step", loads, lambda load: spread(load.handing_on)),
        *(_row(f"  · {PARTS[name]}", loads, lambda load, name=name: spread(load.parts[name])) for name in PARTS),  # type: ignore[misc]
        _row("interruption → clear or silence", loads, lambda load: spread(load.interruption_stop)),
        _row("turns / split / unanswered", loads, lambda load: f"{load.turns}/{load.split}/{load.unanswered}"),
        _row(
            f"underruns / late by {LATE_MS:.0f} ms / errors",
            loads,
            lambda load: f"{load.underruns}/{load.late_frames}/{len(load.errors)}",
        ),
        _row("answers begun without a request to TTS", loads, lambda load: load.without_request),
        _row("callers' own lag p99", loads, lambda load: load.lag_p99_ms),
    ]
    return report.table(["calls at once (ms: p50/p95/max)", *(titles or _titles(loads))], rows)


def _plain_pipeline(load: Load) -> str:
    """With speculation the services begin before the decision, and the difference says nothing."""
    return "–" if load.speculates else spread(load.pipeline)


def _ideal(load: Load) -> str:
    if load.first_tokens is None:
        return "–"
    return f"{services_ms(load.first_tokens):.0f} ({load.first_tokens:g} tokens first)"


def made(loads: Sequence[Load]) -> str:
    """What was made for one turn, and what of it in vain."""
    asked = sorted({name for load in loads for name in load.requests_per_turn})
    counted = sorted({name for load in loads for name in load.costs_per_turn})
    rows = [
        *(_row(f"requests: {name.replace('_', ' ')}", loads, _of("requests_per_turn", name)) for name in asked),
        *(_row(f"ledger: {name.replace('_', ' ')}", loads, _of("costs_per_turn", name)) for name in counted),
    ]
    return report.table(["per turn, on average", *_titles(loads)], rows)


def _of(attribute: str, name: str) -> Callable[[Load], object]:
    return lambda load: f"{getattr(load, attribute).get(name, 0.0):g}"


def used(loads: Sequence[Load]) -> str:
    """CPU and memory of each part, and what a further call takes."""
    parts = list(loads[-1].cpu_ms_per_call_s)
    cpu = [
        _row("whole stack", loads, lambda load: f"{load.cpu_whole:.1f}"),
        *(_row(f"  {part}", loads, _of("cpu_ms_per_call_s", part)) for part in parts),
    ]
    further = memory_per_call_mb(loads)
    shown = [part for part in parts if max(load.peak_mb.get(part, 0.0) for load in loads) >= _LEAST_MB]
    memory = [
        [
            "whole stack",
            *(f"{sum(load.peak_mb.values()):.0f} ({sum(load.kept_mb.values()):.0f})" for load in loads),
            further.get("whole stack"),
        ],
        *(
            [
                f"  {part}",
                *(f"{load.peak_mb.get(part, 0.0):.0f} ({load.kept_mb.get(part, 0.0):.0f})" for load in loads),
                further.get(part),
            ]
            for part in shown
        ),
    ]
    return "\n\n".join(
        [
            report.table(["CPU, ms per call-second", *_titles(loads)], cpu),
            report.table(["memory, MB: peak (after the calls)", *_titles(loads), "per further call"], memory),
        ]
    )


def capacity(loads: Sequence[Load]) -> str:
    """Which loads were held, and the most of them."""
    results = held(loads)
    rows = [[each.calls, str(each)] for each in results]
    table = report.table(["calls at once", "p95 beside one call's"], rows)
    return f"{table}\n\ncalls on one core: {most_held(results)}"


def against_goals(loads: Sequence[Load], plain: Load | None) -> str:
    """What is to be reached, beside the best of the other frameworks (reference figures, measured the same way)."""
    head = ["goal", "best peer", "ours must be", "measured", "reached"]
    return report.table(head, [goal.row() for goal in goals(loads, plain)])
