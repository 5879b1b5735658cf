"""Plays recorded and made-up callers to the turn-taking machine: turns cut, delays, false and missed interruptions.

    python -m benchmarks.turn_taking [--every 4] [--patience-ms 500] [--stt-ms 150] [--smart-turn]

Half of the sources are held out: nothing was tuned on them. Times are audio time, so other work of the machine does
not show in them. How the scenes are made is told in `docs/turn-taking.md`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.conversations import figures, smart_turn
from benchmarks.conversations.cast import all_scenes
from benchmarks.conversations.replay import BY_WORDS, Ears, EndOfTurn, Outcome, Theatre
from benchmarks.conversations.scenes import Scene, Studio
from benchmarks.measuring.report import keep, table
from shared.domain.audio import BYTES_PER_MS
from shared.domain.completeness import finished
from shared.domain.echo import PLAYED_MS, likeness
from shared.domain.hum import is_hum
from shared.domain.loudness import Loudness
from shared.domain.turn_taking import CHUNK_MS, Chunk, Tuning, TurnTaking

PLAIN_MS = (500, 800, 1000)
PARTS = {"tuned": False, "held out": True}


def plain_end_ms(probabilities: Sequence[float], silence_ms: int) -> int | None:
    """When a turn ends if silence alone decides: voice for 96 ms, then none for `silence_ms`."""
    voiced_ms, since_ms, begun = 0, 0, False
    for index, probability in enumerate(probabilities):
        if probability >= (0.35 if voiced_ms or begun else 0.5):
            voiced_ms, since_ms = voiced_ms + CHUNK_MS, 0
            begun = begun or voiced_ms >= 96
            continue
        voiced_ms, since_ms = 0, since_ms + CHUNK_MS
        if begun and since_ms >= silence_ms:
            return (index + 1) * CHUNK_MS
    return None


def plain_onset_ms(probabilities: Sequence[float]) -> int | None:
    """When the agent is stopped if 96 ms of voice alone decide."""
    voiced_ms = 0
    for index, probability in enumerate(probabilities):
        voiced_ms = voiced_ms + CHUNK_MS if probability >= (0.35 if voiced_ms else 0.5) else 0
        if voiced_ms >= 96:
            return (index + 1) * CHUNK_MS
    return None


class Evaluation:
    """All runs over one set of scenes."""

    def __init__(self, scenes: Sequence[Scene], theatre: Theatre, stt_ms: int) -> None:
        self._scenes = scenes
        self._theatre = theatre
        self._stt_ms = stt_ms

    def played(
        self, scenes: Sequence[Scene], tuning: Tuning, end_of_turn: EndOfTurn | None = BY_WORDS
    ) -> list[Outcome]:
        return [self._theatre.play(scene, tuning, Ears(), self._stt_ms, end_of_turn) for scene in scenes]

    def turns(self, patience_ms: int, smart: smart_turn.SmartTurn | None) -> dict[str, figures.Turns]:
        """How turns end, by way of deciding and part of the scenes."""
        ways: dict[str, tuple[int, EndOfTurn | None]] = {
            f"{patience_ms} ms, silence alone": (patience_ms, None),
            f"{patience_ms} ms and words": (patience_ms, BY_WORDS),
            "700 ms and words": (700, BY_WORDS),
        }
        if smart is not None:
            model = smart
            ways[f"{patience_ms} ms and smart-turn"] = patience_ms, lambda _, pcm: model.finished(pcm)
            ways[f"{patience_ms} ms, words and smart-turn"] = (
                patience_ms,
                lambda text, pcm: min(finished(text), model.finished(pcm)),
            )
        found = {}
        for part, held_out in PARTS.items():
            scenes = [scene for scene in self._scenes if not scene.over and scene.held_out == held_out]
            for silence_ms in PLAIN_MS:
                ends = [
                    (plain_end_ms(self._theatre.probabilities(scene), silence_ms), scene.end_ms) for scene in scenes
                ]
                found[f"plain {silence_ms} ms, {part}"] = figures.turns(ends)
            for way, (waits_ms, end_of_turn) in ways.items():
                outcomes = self.played(scenes, Tuning.of(patience_ms=waits_ms), end_of_turn)
                found[f"{way}, {part}"] = figures.turns_of(outcomes)
        return found

    def overlaps(self, tuning: Tuning) -> dict[str, tuple[figures.Overlaps, float]]:
        """What each class of sounds does to the agent; beside it how many percent a plain detector stops it for."""
        found = {}
        labels = list(dict.fromkeys(scene.label for scene in self._scenes if scene.over))
        for label in labels:
            for part, held_out in PARTS.items():
                scenes = [
                    scene
                    for scene in self._scenes
                    if scene.over and scene.label == label and scene.held_out == held_out
                ]
                if scenes:
                    stopped = [plain_onset_ms(self._theatre.probabilities(scene)) is not None for scene in scenes]
                    share = 100 * sum(stopped) / len(scenes)
                    found[f"{label}, {part}"] = figures.overlaps_of(self.played(scenes, tuning)), share
        return found


def costs_us(theatre: Theatre, scene: Scene) -> dict[str, float]:
    """CPU time of each part for one chunk of 32 ms, in microseconds."""
    heard = [pcm for pcm, _ in theatre.heard(scene)]
    machine, loudness = TurnTaking(Tuning.of(patience_ms=100_000)), Loudness()
    played = b"".join(heard[-PLAYED_MS // CHUNK_MS :])
    longer = b"".join(heard[20:40])

    def per_chunk(work: Callable[[bytes], object]) -> float:
        began_s = time.thread_time()
        for pcm in heard:
            work(pcm)
        return round((time.thread_time() - began_s) * 1e6 / len(heard), 1)

    return {
        "machine": per_chunk(lambda _: machine.hear(Chunk(0.9), overlaps=False)),
        "loudness": per_chunk(loudness.quiet_tail_ms),
        "hum (voice over the agent only)": per_chunk(lambda pcm: is_hum(longer[: 32 * BYTES_PER_MS] + pcm)),
        "echo (voice over the agent only)": per_chunk(lambda _: likeness(longer, played)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turn_taking", description=__doc__.partition("\n")[0])
    parser.add_argument("--state-dir", type=Path, default=Path(os.environ.get("LOCAL_STATE_DIR", ".local")))
    parser.add_argument("--patience-ms", type=int, default=500)
    parser.add_argument("--stt-ms", type=int, default=150, help="from a pause to its words")
    parser.add_argument("--every", type=int, default=1, help="take every nth scene only")
    parser.add_argument("--smart-turn", action="store_true", help="measure the model smart-turn v3.2 as well")
    options = parser.parse_args()
    scenes = list(all_scenes(Studio(options.state_dir)))[:: options.every]
    theatre = Theatre(options.state_dir)
    smart = None
    if options.smart_turn:
        smart = smart_turn.SmartTurn(smart_turn.fetched(options.state_dir / "evaluation"))
    evaluation = Evaluation(scenes, theatre, options.stt_ms)
    turns = evaluation.turns(options.patience_ms, smart)
    overlaps = evaluation.overlaps(Tuning.of(patience_ms=options.patience_ms))
    costs = costs_us(theatre, scenes[0])
    if smart is not None and smart.cpu_ms:
        costs["smart-turn, each pause"] = round(1000 * sorted(smart.cpu_ms)[len(smart.cpu_ms) // 2], 1)
    theatre.words.keep()
    show(turns, overlaps, costs)
    path = keep(
        "turn_taking",
        {
            "patience_ms": options.patience_ms,
            "stt_ms": options.stt_ms,
            "scenes": len(scenes),
            "minutes": round(sum(len(scene.caller) for scene in scenes) / 8000 / 60, 1),
            "turns": {name: figures.plain(one) for name, one in turns.items()},
            "overlaps": {
                name: {**figures.plain(one), "plain_stopped_percent": share}
                for name, (one, share) in overlaps.items()
            },
            "us_per_chunk": costs,
        },
    )
    print(f"\n{path}")
    return 0


def show(
    turns: dict[str, figures.Turns], overlaps: dict[str, tuple[figures.Overlaps, float]], costs: dict[str, Any]
) -> None:
    head = ["end of turn", "cut %", "delay p50 ms", "p95 ms", "missed", "wasted takes"]
    print(table(head, [[name, *one.cells()] for name, one in turns.items()]))
    head = [
        "over the agent",
        "n",
        "held %",
        "stopped %",
        "held p50 ms",
        "p95 ms",
        "delay p50 ms",
        "p95 ms",
        "plain VAD stops %",
    ]
    rows = [[name, *one.cells(), f"{share:.0f}"] for name, (one, share) in overlaps.items()]
    print("\n" + table(head, rows))
    print("\n" + table(["CPU", "µs per chunk"], [[name, cost] for name, cost in costs.items()]))


if __name__ == "__main__":
    sys.exit(main())
