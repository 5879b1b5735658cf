"""Measures our whole stack and another framework in one run: same callers, recordings, services and measure.

    python -m benchmarks.side_by_side [--peer pipecat] [--variant default] [--calls 1,5] [--rounds 3]

The framework is installed into `.local/peers/<name>` (some hundreds of MB, once) and gets a small server of ours
behind which it converses over Twilio Media Streams. Both run on core 0, callers and the scripted services on core 1;
they take turns, load by load, so that both meet the same machine. Our calls go the whole way: webhooks, Web PubSub,
Redis, PostgreSQL and recordings; the framework's have the WebSocket only.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import aiohttp

from benchmarks import cold_start
from benchmarks.calls import tables
from benchmarks.calls.exchange import SERVICES_MS, Exchange, seen_by_caller
from benchmarks.calls.load import LATE_MS, Load, summarize
from benchmarks.calls.own_stack import STACK_CORE, OwnStack, StackFailed, own_stack
from benchmarks.calls.placing import COMPLETE_VOICES, NUMBERS, VOICES, Caller, Placed, Wish, stay_on_callers_core
from benchmarks.calls.replies import MEANINGS, REPLIES
from benchmarks.calls.verdict import memory_per_call_mb
from benchmarks.measuring import report
from benchmarks.measuring.distribution import Distribution
from benchmarks.measuring.processes import running_on
from benchmarks.measuring.usage import Usage, watched
from benchmarks.peers import peer as peers
from local_stack.phones.voices import NoVoices

_PAUSE_S = 2.0


@dataclass(slots=True)
class Side:
    """One of the two: how patient it is, what its calls were like at each load, and how quickly it started."""

    title: str
    patience_ms: int
    starts_ms: list[float] = field(default_factory=list)
    placed: dict[int, list[Placed]] = field(default_factory=dict)
    usage: dict[int, Usage] = field(default_factory=dict)

    def add(self, calls: int, placed: Sequence[Placed], usage: Usage) -> None:
        self.placed.setdefault(calls, []).extend(placed)
        before = self.usage.setdefault(calls, Usage())
        for name in usage.cpu_ms:
            before.cpu_ms[name] = before.cpu_ms.get(name, 0.0) + usage.cpu_ms[name]
            before.peak_mb[name] = max(before.peak_mb.get(name, 0.0), usage.peak_mb[name])
            before.kept_mb[name] = usage.kept_mb[name]

    def load(self, wish: Wish) -> Load:
        """All rounds of one load together, as the caller saw them."""
        placed = self.placed[wish.calls]
        rounds = len(placed) // wish.calls
        seen: list[Exchange] = [each for call in placed for each in seen_by_caller(call.turns)]
        whole = replace(wish, patience_ms=self.patience_ms, rounds=rounds)
        return summarize(whole, placed, seen, [], self.usage[wish.calls])


async def measure(
    stack: OwnStack, ours: Side, theirs: Side, wishes: Sequence[Wish], options: argparse.Namespace
) -> None:
    """Every round starts the framework anew, and places each load on both. Raises: NoPeer."""
    own_pids, core = stack.pids(), None if options.no_pin else STACK_CORE
    peer = peers.ALL[options.peer]
    async with aiohttp.ClientSession() as session:
        caller = Caller(stack, session, COMPLETE_VOICES if options.variant == "default" else VOICES)
        for number in range(1, options.rounds + 1):
            with peers.running(peer, options.variant, speech_url=stack.url("speech"), core=core) as running:
                theirs.starts_ms.append(running.start_ms)
                for wish in wishes:
                    await _place(caller, theirs, wish, {"server": running.pid}, running.url)
                    await _place(caller, ours, wish, own_pids, None)
            print(f"round {number} of {options.rounds} is done", file=sys.stderr, flush=True)


async def _place(caller: Caller, side: Side, wish: Wish, pids: dict[str, int], media_url: str | None) -> None:
    await asyncio.sleep(_PAUSE_S)
    await caller.prepare(wish.reply)
    async with watched(pids) as usage:
        placed = await caller.place(wish, media_url)
    side.add(wish.calls, placed, usage)


def show(ours: Side, theirs: Side, wishes: Sequence[Wish]) -> str:
    """One table; columns are the loads, each of both sides."""
    pairs = [(side, side.load(wish)) for wish in wishes for side in (ours, theirs)]
    head = ["ms: p50/p95/max", *(f"{side.title}, {load.calls}" for side, load in pairs)]
    rows: list[Sequence[object]] = [
        ["silence that ends a turn", *(side.patience_ms for side, _ in pairs)],
        ["voice to voice, at the wire", *(tables.spread(load.at_wire) for _, load in pairs)],
        [f"beyond that silence and {SERVICES_MS:.0f}, p50", *(_beyond(side, load) for side, load in pairs)],
        ["interruption → clear or silence", *(tables.spread(load.interruption_stop) for _, load in pairs)],
        ["turns / unanswered", *(f"{load.turns}/{load.unanswered}" for _, load in pairs)],
        [
            f"underruns / late by {LATE_MS:.0f} ms / errors",
            *(f"{load.underruns}/{load.late_frames}/{len(load.errors)}" for _, load in pairs),
        ],
        ["CPU, ms per call-second", *(f"{load.cpu_whole:.1f}" for _, load in pairs)],
        ["  of it the app or the server", *(f"{_server_cpu(load):.1f}" for _, load in pairs)],
        ["memory at the peak, MB", *(f"{sum(load.peak_mb.values()):.0f}" for _, load in pairs)],
        ["callers' own lag p99", *(load.lag_p99_ms for _, load in pairs)],
    ]
    alone = [["start → listening, ms", *(_median(side.starts_ms) for side in (ours, theirs))]]
    if len(wishes) > 1:
        alone.append(["memory per further call, MB", *(further_mb(side, wishes) for side in (ours, theirs))])
    return f"{report.table(head, rows)}\n\n{report.table(['', ours.title, theirs.title], alone)}"


def further_mb(side: Side, wishes: Sequence[Wish]) -> float | None:
    """What one more call takes at the peak, all parts that grow together."""
    return memory_per_call_mb([side.load(wish) for wish in wishes]).get("whole stack")


def _beyond(side: Side, load: Load) -> float | None:
    return None if load.at_wire is None else round(load.at_wire.p50 - side.patience_ms - SERVICES_MS)


def _server_cpu(load: Load) -> float:
    return load.cpu_ms_per_call_s.get("app", load.cpu_ms_per_call_s.get("server", 0.0))


def _median(values: Sequence[float]) -> float | None:
    found = Distribution.of(values)
    return None if found is None else found.p50


def own_starts_ms(runs: int, core: int | None) -> list[float]:
    """How long our app takes from nothing to listening, on the core where it is measured. Raises: StartFailed."""
    with running_on(core):
        settings = cold_start.settings_of_no_stack()
        return [round(cold_start.time_start(settings), 1) for _ in range(runs)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks side_by_side",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--peer", default="pipecat", choices=sorted(peers.ALL), help="beside whom (default: %(default)s)")
    add("--variant", default="default", choices=peers.VARIANTS, help="its own defaults, or its quickest options")
    add("--calls", default="1,5", help="loads, each a number of calls at once (default: %(default)s)")
    add("--rounds", type=int, default=3, help="how often each load is placed on both (default: %(default)s)")
    add("--turns", type=int, default=4, help="of each call (default: %(default)s)")
    add("--pattern", default="bp", help="b interrupts the answer, p hears it out (default: %(default)s)")
    add("--patience", type=int, default=500, choices=sorted({ms for ms, _ in NUMBERS}), help="of ours, ms of silence")
    add("--no-speculation", action="store_true", help="ours with an agent that does not speculate")
    add(
        "--reply",
        default="unique",
        choices=sorted(REPLIES),
        help="shape of the answer, for both (default: %(default)s)",
    )
    add("--stagger", type=float, default=5.0, help="seconds over which calls begin (default: %(default)s)")
    add("--no-pin", action="store_true", help="let everything run on any core")
    add("--at-most", type=int, default=1500, help="seconds after which it is given up (default: %(default)s)")
    return parser.parse_args()


async def _bounded(seconds: int, stack: OwnStack, sides: tuple[Side, Side], wishes: Sequence[Wish],
                   options: argparse.Namespace) -> None:  # fmt: skip
    async with asyncio.timeout(seconds):
        await measure(stack, *sides, wishes, options)


def main() -> int:
    """Parse the command line and run; 1 when the framework cannot be had or the stack fails."""
    options = _arguments()
    peer, pinned = peers.ALL[options.peer], not options.no_pin
    speculates = not options.no_speculation
    one = Wish(1, options.turns, options.pattern, options.patience, 0.0, speculates, options.reply)
    counts = [int(count) for count in options.calls.split(",")]
    wishes = [replace(one, calls=count, stagger_s=options.stagger if count > 1 else 0.0) for count in counts]
    ours = Side("ours", options.patience)
    theirs = Side(f"{peer.title} {options.variant}", peer.patience_ms[options.variant])
    try:
        peers.install(peer)
        ours.starts_ms = own_starts_ms(options.rounds, STACK_CORE if pinned else None)
        with own_stack(pinned=pinned) as stack:
            if pinned:
                stay_on_callers_core()
            asyncio.run(_bounded(options.at_most, stack, (ours, theirs), wishes, options))
    except TimeoutError:
        print(f"given up after {options.at_most} s: see --at-most", file=sys.stderr)
        return 1
    except (peers.NoPeer, StackFailed, NoVoices, cold_start.StartFailed, aiohttp.ClientError) as problem:
        print(problem, file=sys.stderr)
        return 1
    loads = [(side, side.load(wish)) for wish in wishes for side in (ours, theirs)]
    print(f"the reply {MEANINGS[options.reply]}; {options.rounds} rounds\n\n{show(ours, theirs, wishes)}")
    figures: dict[str, object] = {
        "pinned": pinned,
        "reply": options.reply,
        "sides": [
            {"title": side.title, "start_to_listening_ms": side.starts_ms,
             "memory_per_further_call_mb": further_mb(side, wishes)}
            for side in (ours, theirs)
        ],
        "loads": [{"of": side.title, **load.to_json()} for side, load in loads],
    }  # fmt: skip
    print(f"\nkept in {report.keep(f'side_by_side_{options.peer}_{options.variant}', figures)}")
    return 0 if all(load.is_valid for _, load in loads) else 1


if __name__ == "__main__":
    raise SystemExit(main())
