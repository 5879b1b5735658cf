"""Ends the parts when the supervisor is gone, however it went; executed by path, alone.

It reads lines from its standard input, which only the supervisor holds open: `+NUMBER` for a process group
that was started, `-NUMBER` for one that is gone. At the end of the input it ends whatever is left.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_PATIENCE_SECONDS = 5.0


def main() -> int:
    """Wait for the supervisor's end and clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.append(group)
        elif group in groups:
            groups.remove(group)
    _signal_all(groups, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = _signal_all(groups, 0)
    _signal_all(groups, signal.SIGKILL)
    return 0


def _signal_all(groups: list[int], number: int) -> list[int]:
    """Send a signal to the groups, last started first, and return those that exist."""
    left = []
    for group in reversed(groups):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            continue
        left.append(group)
    return left[::-1]


if __name__ == "__main__":
    raise SystemExit(main())
