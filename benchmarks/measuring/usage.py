"""What groups of processes use while something lasts: CPU, and memory at its peak and afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.measuring.processes import all_stats, cpu_ms, resident_mb, tree

_EVERY_S = 0.5


@dataclass(slots=True)
class Usage:
    """By the name of each group: CPU in ms, memory in MB."""

    cpu_ms: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    kept_mb: dict[str, float] = field(default_factory=dict)


@asynccontextmanager
async def watched(pids: Mapping[str, int]) -> AsyncIterator[Usage]:
    """What these processes and their descendants use in the block; the figures are there after it.

    Processes that are born in the block count for CPU but not for the peak of memory.
    """
    stats = all_stats()
    members = {name: [stat.pid for stat in tree(stats, pid)] for name, pid in pids.items()}
    before = {name: cpu_ms(stats, pid) for name, pid in pids.items()}
    usage = Usage()
    watching = asyncio.create_task(_watch(members, usage.peak_mb))
    try:
        yield usage
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        stats = all_stats()
        for name, pid in pids.items():
            usage.cpu_ms[name] = cpu_ms(stats, pid) - before[name]
            usage.kept_mb[name] = resident_mb(stat.pid for stat in tree(stats, pid))
            usage.peak_mb[name] = max(usage.peak_mb.get(name, 0.0), usage.kept_mb[name])


async def _watch(members: Mapping[str, list[int]], peak_mb: dict[str, float]) -> None:
    while True:
        for name, pids in members.items():
            peak_mb[name] = max(peak_mb.get(name, 0.0), resident_mb(pids))
            await asyncio.sleep(0)
        await asyncio.sleep(_EVERY_S)


def slope(points: Mapping[float, float]) -> float | None:
    """How much more of the second there is for one more of the first, by least squares; None for one point."""
    if len(points) < 2:
        return None
    mean_x, mean_y = sum(points) / len(points), sum(points.values()) / len(points)
    spread = sum((x - mean_x) ** 2 for x in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points.items()) / spread
