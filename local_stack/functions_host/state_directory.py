"""Owns the state directory: one host at a time, by a lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from local_stack.functions_host.errors import StateDirectoryInUseError


class StateDirectoryLock:
    """An exclusive lock on `directory`/host.lock, which holds the pid of its owner.

    The kernel frees it when the owner dies, so the lock of a killed host is simply taken over.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "host.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> StateDirectoryLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StateDirectoryInUseError(
                f"state directory {self._path.parent} is in use by the host with pid {owner}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
