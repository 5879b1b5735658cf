"""Where a running Python process spends its CPU, function by function, as text."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring.processes import running_on

_SHOWN = 30
_NAMES = ("process ", "thread ")
"""Frames that name where a stack ran."""
_STOPS_WITHIN_S = 20


class NoProfiler(Exception):
    """The profiler cannot be used; the message is one line."""


@dataclass(slots=True)
class Profile:
    """How many samples had a function at the end of the stack (own), or anywhere in it (whole)."""

    samples: int = 0
    own: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)

    def to_text(self, title: str) -> str:
        """The costliest functions, twice: by their own time, and with what they call."""
        lines = [title, f"{self.samples} samples"]
        for name, counts in (("own time", self.own), ("with what it calls", self.whole)):
            lines += ["", name]
            lines += [f"{count / max(1, self.samples):7.1%}  {frame}" for frame, count in counts.most_common(_SHOWN)]
        return "\n".join(lines) + "\n"


def read_stacks(lines: Iterable[str]) -> Profile:
    """Folded stacks: `outermost;…;innermost count`. Threads and processes, named in the first frames, count together.

    Source: https://github.com/brendangregg/FlameGraph#2-fold-stacks
    """
    profile = Profile()
    for line in lines:
        stack, _, count_text = line.rpartition(" ")
        if not count_text.strip().isdigit():
            continue
        frames = [frame for frame in stack.split(";") if not frame.startswith(_NAMES)]
        count = int(count_text)
        if not frames:
            continue
        profile.samples += count
        profile.own[frames[-1]] += count
        for frame in set(frames):
            profile.whole[frame] += count
    return profile


@contextmanager
def profiled(pid: int, title: str, target: Path, core: int | None) -> Iterator[None]:
    """Samples the process and its children a hundred times a second while the block lasts, from another core.

    Writes `target`. Raises: NoProfiler.
    """
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if program is None:
        raise NoProfiler("py-spy is missing: make setup installs it")
    with tempfile.TemporaryDirectory() as folder, running_on(core):
        stacks = Path(folder) / "stacks"
        command = [program, "record", "--pid", str(pid), "--subprocesses", "--nonblocking", "--function"]
        command += ["--rate", "100", "--format", "raw", "--duration", "3600", "--output", str(stacks)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            yield
        finally:
            process.send_signal(2)
            said = process.communicate(timeout=_STOPS_WITHIN_S)[1]
        if not stacks.exists():
            raise NoProfiler(f"py-spy recorded nothing: {' '.join(said.split())[-300:]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(read_stacks(stacks.read_text(encoding="utf-8").splitlines()).to_text(title), "utf-8")
