"""What `up` starts is scheduled in batches, itself included."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_CHILD = "import os; print(os.sched_getscheduler(0))"
_PARENT = f"""
import subprocess, sys
from local_stack.supervisor.scheduling import finish_before_yielding
finish_before_yielding()
subprocess.run([sys.executable, "-c", {_CHILD!r}], check=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have no such policy")
def test_what_it_starts_is_scheduled_in_batches() -> None:
    done = subprocess.run([sys.executable, "-c", _PARENT], capture_output=True, text=True, check=True, timeout=20)
    assert int(done.stdout) == os.SCHED_BATCH
