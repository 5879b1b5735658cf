"""Measures the time from the end of a caller's speech to the first sound of the answer, and what makes it up.

    python -m benchmarks.voice_to_voice [--calls 1,5,10,20] [--patience 500] [--turns 4] [--no-pin]

The whole local stack runs on core 0; the callers and a scripted speech and language service with fixed times
(STT 150 ms, first token 200 ms, 20 ms a token, first sentence of 12 tokens, first byte of TTS 100 ms: 670 ms in
sequence) run on core 1. Recorded people speak; every second answer is interrupted after a second.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

import aiohttp

from benchmarks.calls.exchange import PARTS, SERVICES_MS, exchanges
from benchmarks.calls.load import LAG_LIMIT_MS, LATE_MS, Load, Usage, summarize
from benchmarks.calls.own_stack import OwnStack, StackFailed, own_stack
from benchmarks.calls.placing import NUMBERS, Caller, Wish, stay_on_callers_core
from benchmarks.measuring import report
from benchmarks.measuring.distribution import Distribution
from benchmarks.measuring.processes import all_stats
from local_stack.phones.voices import NoVoices

_PAUSE_S = 2.0


async def measure(stack: OwnStack, wishes: list[Wish]) -> list[Load]:
    """Place the calls of each wish after those of the one before; the first is a process's very first call."""
    pids = stack.pids()
    loads = []
    async with aiohttp.ClientSession() as session:
        caller = Caller(stack, session)
        for wish in wishes:
            await caller.services()
            before = Usage.of(pids, all_stats())
            placed = await caller.place(wish)
            after = Usage.of(pids, all_stats())
            services = await caller.services()
            found = [each for call in placed for each in exchanges(call.turns, call.record, services)]
            loads.append(summarize(wish, placed, found, before, after))
            print(_progress(loads[-1]), file=sys.stderr, flush=True)
            await asyncio.sleep(_PAUSE_S)
    return loads


def show(first: Load, loads: list[Load]) -> str:
    """The tables."""
    titles = [f"{load.calls}{'' if load.is_valid else ' (invalid)'}" for load in loads]
    head = ["calls at once (ms: p50/p95/max)", *titles]
    rows: list[Sequence[object]] = [
        ["voice to voice", *(_spread(load.voice_to_voice) for load in loads)],
        [f"  overhead: less patience and {SERVICES_MS:.0f}", *(_spread(load.overhead) for load in loads)],
        [f"  pipeline: less decision and {SERVICES_MS:.0f}", *(_spread(load.pipeline) for load in loads)],
        *([f"  {PARTS[name]}", *[_spread(load.parts[name]) for load in loads]] for name in PARTS),
        ["interruption → silence", *(_spread(load.interruption_stop) for load in loads)],
        ["turns / split / unanswered", *(f"{load.turns}/{load.split}/{load.unanswered}" for load in loads)],
        [
            f"underruns / late by {LATE_MS:.0f} ms / errors",
            *(f"{load.underruns}/{load.late_frames}/{len(load.errors)}" for load in loads),
        ],
        ["callers' own lag p99", *(load.lag_p99_ms for load in loads)],
    ]
    used: list[Sequence[object]] = [
        ["whole stack", *(f"{load.cpu_whole:.1f}" for load in loads), f"{sum(loads[-1].memory_mb.values()):.0f}"],
        *(
            [
                f"  {name}",
                *(f"{load.cpu_ms_per_call_s.get(name, 0.0):.1f}" for load in loads),
                f"{loads[-1].memory_mb[name]:.0f}",
            ]
            for name in loads[-1].memory_mb
        ),
    ]
    first_ms = first.voice_to_voice.p50 if first.voice_to_voice else None
    return "\n".join(
        [
            f"patience {first.patience_ms} ms; answer in the very first call of a fresh process: {first_ms} ms",
            "",
            report.table(head, rows),
            "",
            report.table(["CPU, ms per call-second", *titles, "memory, MB"], used),
        ]
    )


def _spread(found: Distribution | None) -> str:
    return "–" if found is None else f"{found.p50:.0f}/{found.p95:.0f}/{found.max:.0f}"


def _progress(load: Load) -> str:
    line = f"{load.calls} calls: voice to voice {_spread(load.voice_to_voice)} ms"
    line += f", CPU {load.cpu_whole} ms per call-second"
    if not load.is_valid:
        line += f"; INVALID: the callers' own lag was above {LAG_LIMIT_MS:.0f} ms"
    return "\n  ! ".join([line, *load.errors[:5]])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks voice_to_voice", description=__doc__)
    parser.add_argument("--calls", default="1,5,10", help="loads (default: %(default)s)")
    parser.add_argument(
        "--patience", type=int, default=500, choices=sorted(NUMBERS), help="ms of silence that end a turn"
    )
    parser.add_argument("--turns", type=int, default=4, help="of each call (default: %(default)s)")
    parser.add_argument(
        "--pattern", default="bp", help="b interrupts the answer, p hears it out (default: %(default)s)"
    )
    parser.add_argument(
        "--stagger", type=float, default=5.0, help="seconds over which calls begin (default: %(default)s)"
    )
    parser.add_argument("--no-pin", action="store_true", help="let everything run on any core")
    parser.add_argument("--nice", type=int, default=0, help="priority of everything, -20 to 19 (below 0 needs root)")
    parser.add_argument("--name", default="voice_to_voice", help="of the result file (default: %(default)s)")
    return parser.parse_args()


def main() -> int:
    """Parse the command line and run; 1 when the stack fails or a run is invalid."""
    options = _arguments()
    pinned = not options.no_pin
    wish = Wish(1, 1, "p", options.patience, 0.0)
    wishes = [
        Wish(int(count), options.turns, options.pattern, options.patience, options.stagger)
        for count in options.calls.split(",")
    ]
    try:
        with own_stack(pinned=pinned, nice=options.nice) as stack:
            if pinned:
                stay_on_callers_core()
            first, *loads = asyncio.run(measure(stack, [wish, *wishes]))
    except (StackFailed, NoVoices) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(show(first, loads))
    figures = {
        "pinned": pinned,
        "services_ms": SERVICES_MS,
        "first_call": first.to_json(),
        "loads": [load.to_json() for load in loads],
    }
    print(f"\nkept in {report.keep(options.name, figures)}")
    return 0 if all(load.is_valid for load in loads) else 1


if __name__ == "__main__":
    raise SystemExit(main())
