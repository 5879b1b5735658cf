"""What processes and all their descendants use, read from /proc. Source: proc(5)"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KB_PER_MB = 1024


@dataclass(frozen=True, slots=True)
class Stat:
    """One process: its parent, and its CPU time with that of the children it has waited for."""

    pid: int
    parent: int
    cpu_ticks: int


@contextmanager
def running_on(core: int | None) -> Iterator[None]:
    """Processes that are started in the block run on this core only; None: on any."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def prefer(stats: list[Stat], root: int, nice: int) -> None:
    """Give a process and its descendants this niceness. Raises: PermissionError below 0 without root.

    Where the kernel groups processes by session, only the niceness of the group counts against other sessions.
    Source: sched(7), "The autogroup feature"
    """
    for stat in tree(stats, root):
        try:
            os.setpriority(os.PRIO_PROCESS, stat.pid, nice)
            group = Path(f"/proc/{stat.pid}/autogroup")
            if group.exists():
                group.write_text(str(nice))
        except ProcessLookupError:
            continue  # it has ended since it was listed


def read_stat(text: str) -> Stat:
    """One line of /proc/PID/stat; the command's name in it may hold spaces and brackets."""
    pid, _, _ = text.partition(" ")
    fields = text.rpartition(")")[2].split()
    return Stat(int(pid), int(fields[1]), sum(int(fields[index]) for index in range(11, 15)))


def all_stats() -> list[Stat]:
    """Every process that runs now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            found.append(read_stat(path.read_text("utf-8", "replace")))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since the folder was listed
    return found


def tree(stats: list[Stat], root: int) -> list[Stat]:
    """The process `root` and all its descendants; empty when it does not run."""
    children: dict[int, list[Stat]] = {}
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat)
    found = [stat for stat in stats if stat.pid == root]
    for stat in found:
        found += children.get(stat.pid, [])
    return found


def cpu_ms(stats: list[Stat], root: int) -> float:
    """CPU time (user and system) that a process and its descendants have used so far."""
    return sum(stat.cpu_ticks for stat in tree(stats, root)) * 1000 / _TICKS_PER_S


def resident_mb(pids: Iterable[int]) -> float:
    """Resident memory of these processes, without segments that they share (PostgreSQL's buffers)."""
    return round(sum(_resident_kb(pid) for pid in pids) / _KB_PER_MB, 1)


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssFile:")))
