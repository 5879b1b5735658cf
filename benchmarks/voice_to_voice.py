"""Measures the time from the end of a caller's speech to the first sound of the answer, and what makes it up.

    python -m benchmarks.voice_to_voice [--calls 1,5,10,20,30] [--patience 500] [--reply unique] [--profile]

The whole local stack runs on core 0; the callers and a scripted speech and language service with fixed times
(STT 150 ms, first token 200 ms, 20 ms a token, first sentence of 12 tokens, first byte of TTS 100 ms: 670 ms in
sequence) run on core 1. Recorded people speak; every second answer is interrupted after a second. Beside the loads
it measures one call without speculation and one with each other shape of reply.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp

from benchmarks.calls import tables
from benchmarks.calls.exchange import SERVICES_MS, exchanges
from benchmarks.calls.load import LAG_LIMIT_MS, Load, summarize
from benchmarks.calls.own_stack import CALLERS_CORE, OwnStack, StackFailed, own_stack
from benchmarks.calls.placing import NUMBERS, VOICES, Caller, Wish, stay_on_callers_core
from benchmarks.calls.replies import MEANINGS, REPLIES
from benchmarks.calls.verdict import held, memory_per_call_mb, most_held
from benchmarks.measuring import report
from benchmarks.measuring.profile import NoProfiler, profiled
from benchmarks.measuring.usage import watched
from local_stack.phones.voices import NoVoices

_PAUSE_S = 2.0

_PROMPTS_PATIENCE_MS = 300
"""With less of it the turn would end within some of the prompts."""


async def measure(stack: OwnStack, wishes: list[Wish], profile: Path | None = None) -> list[Load]:
    """Place the calls of each wish after those of the one before; the first is a process's very first call.

    `profile`: where the profile of the app under the last of them is written. Raises: NoProfiler.
    """
    pids = stack.pids()
    loads = []
    async with aiohttp.ClientSession() as session:
        caller = Caller(stack, session, VOICES if wishes[0].patience_ms < _PROMPTS_PATIENCE_MS else ())
        for wish in wishes:
            await caller.prepare(wish.reply)
            with ExitStack() as recording:
                if profile and wish is wishes[-1]:
                    title = f"function app, {wish.calls} calls at once"
                    recording.enter_context(profiled(pids["app"], title, profile, CALLERS_CORE))
                async with watched(pids) as usage:
                    placed = await caller.place(wish)
            services = await caller.services()
            found = [each for call in placed for each in exchanges(call.turns, call.record, services)]
            loads.append(summarize(wish, placed, found, services, usage))
            print(_progress(loads[-1]), file=sys.stderr, flush=True)
            await asyncio.sleep(_PAUSE_S)
    return loads


def show(first: Load, loads: list[Load], beside: list[Load]) -> str:
    """The tables."""
    first_ms = first.at_wire.p50 if first.at_wire else None
    plain = next((load for load in beside if not load.speculates), None)
    sections = [
        f"patience {first.patience_ms} ms; the reply {MEANINGS[loads[0].reply]}; "
        f"floor without speculation: {first.patience_ms + SERVICES_MS:.0f} ms; "
        f"answer in the very first call of a fresh process: {first_ms} ms",
        tables.times(loads),
        tables.made(loads),
        tables.used(loads),
        tables.capacity(loads),
    ]
    if beside:
        smallest = min(loads, key=lambda load: load.calls)
        titles = [_title(load) for load in (smallest, *beside)]
        sections.append("one call, otherwise:\n\n" + tables.times([smallest, *beside], titles))
    sections.append(tables.against_goals(loads, plain))
    return "\n\n".join(sections)


def _title(load: Load) -> str:
    return f"{load.reply}, {load.calls} {'call' if load.calls == 1 else 'calls'}" + (
        "" if load.speculates else ", no speculation"
    )


def _progress(load: Load) -> str:
    line = f"{_title(load)}: voice to voice {tables.spread(load.at_wire)} ms"
    line += f", CPU {load.cpu_whole} ms per call-second"
    if not load.is_valid:
        line += f"; INVALID: the callers' own lag was above {LAG_LIMIT_MS:.0f} ms"
    return "\n  ! ".join([line, *load.errors[:5]])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks voice_to_voice",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--calls", default="1,5,10,20,30", help="loads, each a number of calls at once (default: %(default)s)")
    add("--patience", type=int, default=500, choices=sorted({ms for ms, _ in NUMBERS}), help="ms of silence")
    add("--turns", type=int, default=4, help="of each call (default: %(default)s)")
    add("--samples", type=int, default=20, help="turns of a load at least; small loads are repeated (default: 20)")
    add("--pattern", default="bp", help="b interrupts the answer, p hears it out (default: %(default)s)")
    add("--reply", default="unique", choices=sorted(REPLIES), help="shape of the answer (default: %(default)s)")
    add("--stagger", type=float, default=5.0, help="seconds over which calls begin (default: %(default)s)")
    add("--no-speculation", action="store_true", help="all loads with agents that do not speculate")
    add("--no-beside", action="store_true", help="only the loads: no plain call, no other replies")
    add("--profile", action="store_true", help="once more the largest load, with a profile of the app")
    add("--no-pin", action="store_true", help="let everything run on any core")
    add("--nice", type=int, default=0, help="priority of everything, -20 to 19 (below 0 needs root)")
    add("--name", default="voice_to_voice", help="of the result file (default: %(default)s)")
    return parser.parse_args()


def wishes_of(options: argparse.Namespace) -> tuple[list[Wish], list[Wish]]:
    """The loads, and the calls beside them."""
    speculates = not options.no_speculation
    one = Wish(1, options.turns, options.pattern, options.patience, 0.0, speculates, options.reply)
    one = replace(one, rounds=_rounds(options, 1))
    loads = [
        replace(one, calls=int(count), stagger_s=options.stagger, rounds=_rounds(options, int(count)))
        for count in options.calls.split(",")
    ]
    if options.no_beside:
        return loads, []
    others = [replace(one, reply=reply) for reply in REPLIES if reply != options.reply]
    return loads, [replace(one, speculates=not speculates), *others]


def _rounds(options: argparse.Namespace, calls: int) -> int:
    turns = calls * int(options.turns)
    return max(1, math.ceil(int(options.samples) / turns))


def main() -> int:
    """Parse the command line and run; 1 when the stack fails or a run is invalid."""
    options = _arguments()
    pinned = not options.no_pin
    loads_wanted, beside_wanted = wishes_of(options)
    fresh = replace(loads_wanted[0], calls=1, turns=1, pattern="p", stagger_s=0.0, rounds=1)
    largest = max(loads_wanted, key=lambda wish: wish.calls)
    profile = report.RESULTS / f"{options.name}_profile.txt" if options.profile else None
    try:
        with own_stack(pinned=pinned, nice=options.nice) as stack:
            if pinned:
                stay_on_callers_core()
            wishes = [fresh, *loads_wanted, *beside_wanted, *([replace(largest, rounds=1)] if profile else [])]
            first, *found = asyncio.run(measure(stack, wishes, profile))
    except (StackFailed, NoVoices, NoProfiler, aiohttp.ClientError) as problem:
        print(problem, file=sys.stderr)
        return 1
    loads = found[: len(loads_wanted)]
    beside = found[len(loads) : len(loads) + len(beside_wanted)]
    print(show(first, loads, beside))
    figures = {
        "pinned": pinned,
        "services_ms": SERVICES_MS,
        "first_call": first.to_json(),
        "loads": [load.to_json() for load in loads],
        "beside": [load.to_json() for load in beside],
        "calls_held": most_held(held(loads)),
        "memory_per_further_call_mb": memory_per_call_mb(loads),
    }
    print(f"\nkept in {report.keep(options.name, figures)}" + (f", profile in {profile}" if profile else ""))
    return 0 if all(load.is_valid for load in loads) else 1


if __name__ == "__main__":
    raise SystemExit(main())
