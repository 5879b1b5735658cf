"""All tests, in lanes side by side: `python -m tests.lanes [options of pytest]`.

What keeps time with real services is let alone by what uses the processor: first the services, then the calls, which
wait for their callers most of the time. The tests that only reckon take what is left over, from the beginning on.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNHURRIED = ("nice", "-n", "19")
_CALLS = "tests/end_to_end"


@dataclass(frozen=True, slots=True)
class Lane:
    """One run of pytest: what is in `folders` and not in `but`, as far as it is `marked`."""

    name: str
    folders: tuple[str, ...]
    but: tuple[str, ...] = ()
    marked: str = ""

    def arguments(self) -> tuple[str, ...]:
        mark = ("-m", self.marked) if self.marked else ()
        return (*self.folders, *(f"--ignore={folder}" for folder in self.but), *mark)


PHASES = (
    (
        Lane("contracts", ("tests/contracts", "tests/infra")),
        Lane("local stack", ("tests/local_stack", "tests/shared/adapters"), but=("tests/local_stack/phones",)),
        Lane("phones", ("tests/local_stack/phones",)),
    ),
    (
        Lane("scripted calls", (_CALLS,), marked="not real_models"),
        Lane("calls", (_CALLS,), marked="real_models"),
    ),
)
"""One after the other. What the last lane of a phase says is seen as it happens."""
UNITS = Lane(
    "units", ("tests",), but=tuple({folder for phase in PHASES for lane in phase for folder in lane.folders})
)
"""All the rest, beside all phases."""


class Lanes:
    """Those that run, and how they ended."""

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self.statuses: dict[str, int] = {}
        self._folder = folder
        self._options = options
        self._running: dict[Lane, subprocess.Popen[bytes]] = {}

    def start(self, lane: Lane, *, priority: Sequence[str] = (), is_loud: bool = False) -> None:
        command = [*priority, sys.executable, "-m", "pytest", "-q", *lane.arguments(), *self._options]
        if is_loud:
            self._running[lane] = subprocess.Popen(command)
            return
        with self._log(lane).open("wb") as output:
            self._running[lane] = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def wait(self, lane: Lane) -> None:
        """Until the lane is over; what it has said is told now, if it was not before."""
        self.statuses[lane.name] = self._running.pop(lane).wait()
        if self._log(lane).exists():
            _say(f"\n===== {lane.name} =====\n{self._log(lane).read_text()}")

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()

    def _log(self, lane: Lane) -> Path:
        return self._folder / lane.name


def main(options: Sequence[str]) -> int:
    """The first status of a lane that is not 0; a phase follows whatever came of the one before."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        lanes = Lanes(Path(folder), options)
        try:
            lanes.start(UNITS, priority=UNHURRIED)
            for phase in PHASES:
                for lane in phase:
                    lanes.start(lane, is_loud=lane is phase[-1])
                for lane in reversed(phase):
                    lanes.wait(lane)
            lanes.wait(UNITS)
        finally:
            lanes.stop()
    _say(f"\n===== all in {time.monotonic() - began_s:.0f} s: {lanes.statuses}\n")
    return next((status for status in lanes.statuses.values() if status), 0)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
