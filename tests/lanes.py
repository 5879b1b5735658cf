"""All tests, in lanes side by side: `python -m tests.lanes [options of pytest]`.

Calls wait in real time, most of it for their callers, and leave the processor idle: so those with real models and
those with scripted services go at once, and the tests that only reckon take what is left over.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

UNHURRIED = ("nice", "-n", "19")
LANES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "units": (UNHURRIED, ("tests", "--ignore=tests/end_to_end")),
    "scripted calls": ((), ("tests/end_to_end", "-m", "not real_models")),
    "calls": ((), ("tests/end_to_end", "-m", "real_models")),
}
"""By name: what the lane is started with, and pytest's arguments. What the last one says is seen as it happens."""


def main(options: Sequence[str]) -> int:
    """The first status of a lane that is not 0. What the other lanes have said follows when they are over."""
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.monotonic()
        logs = {name: Path(folder, name) for name in LANES}
        *quiet, loud = LANES
        running = {name: _start(name, options, logs[name]) for name in quiet}
        running = {loud: _start(loud, options, None), **running}
        statuses: dict[str, int] = {}
        try:
            for name, process in running.items():
                statuses[name] = process.wait()
                if name != loud:
                    _say(f"\n===== {name} =====\n{logs[name].read_text()}")
        finally:
            for process in running.values():
                process.terminate()
        _say(f"\n===== all in {time.monotonic() - began_s:.0f} s: {statuses}\n")
    return next((status for status in statuses.values() if status), 0)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _start(name: str, options: Sequence[str], log: Path | None) -> subprocess.Popen[bytes]:
    niceness, arguments = LANES[name]
    command = [*niceness, sys.executable, "-m", "pytest", "-q", *arguments, *options]
    if log is None:
        return subprocess.Popen(command)
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
