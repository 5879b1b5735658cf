"""What is read from /proc."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.measuring.processes import Stat, cpu_ms, read_stat, resident_mb, running_on, tree


def test_a_name_may_hold_spaces_and_brackets() -> None:
    line = "42 (a b) c) S 7 42 42 0 -1 0 0 0 0 0 10 20 30 40 20 0 1 0 5 0 0"
    assert read_stat(line) == Stat(pid=42, parent=7, cpu_ticks=100)


def test_a_tree_holds_all_descendants_and_nobody_else() -> None:
    stats = [Stat(1, 0, 1), Stat(2, 1, 1), Stat(3, 2, 1), Stat(4, 1, 1), Stat(9, 0, 1)]
    assert {stat.pid for stat in tree(stats, 1)} == {1, 2, 3, 4}
    assert tree(stats, 77) == []


def test_cpu_of_a_tree_is_added_up() -> None:
    one, both = cpu_ms([Stat(1, 0, 50)], 1), cpu_ms([Stat(1, 0, 50), Stat(2, 1, 25)], 1)
    assert both == one * 1.5


def test_this_process_is_found_and_uses_memory() -> None:
    assert resident_mb([os.getpid()]) > 1


def test_what_is_started_in_the_block_runs_on_that_core() -> None:
    before = os.sched_getaffinity(0)
    core = min(before)
    with running_on(core):
        told = subprocess.run(
            [sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert told.stdout.strip() == str({core})
    assert os.sched_getaffinity(0) == before
