"""A service that runs as a process of its own while something is measured."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_ENDS_WITHIN_S = 10.0
_POLL_S = 0.1


@contextmanager
def running(command: Sequence[str], health_url: str, *, within_s: float) -> Iterator[None]:
    """From when `health_url` answers. Raises: SystemExit where it does not, or the process ends before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline_s = time.monotonic() + within_s
        while not _is_healthy(health_url):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise SystemExit(f"{' '.join(command[:3])} did not become ready")
            time.sleep(_POLL_S)
        yield
    finally:
        process.terminate()
        process.wait(_ENDS_WITHIN_S)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False
