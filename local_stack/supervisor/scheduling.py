"""How the parts share the machine's cores."""

from __future__ import annotations

import os
import sys


def finish_before_yielding() -> None:
    """From now on a process that wakes up, this one and all that it starts, waits until the running one pauses.

    The parts wake each other with every frame. If each wake-up took the core at once, a process would stop in the
    midst of its work some thousand times a second, and its work would gather in no batches.
    Source: SCHED_BATCH in https://man7.org/linux/man-pages/man7/sched.7.html
    """
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
