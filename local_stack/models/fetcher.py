"""Brings every locked file into the state folder: upstream first, then its mirror, and only by hash."""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local_stack.models.delivery import FetchError, Progress
from local_stack.models.lockfile import Lock, LockedFile
from local_stack.models.package_index import PackageIndex
from local_stack.models.stamps import Stamps, sha256_of
from local_stack.models.system_packages import SystemPackages
from local_stack.models.upstream import Hubs
from local_stack.models.voices import write_index

PARALLEL_DOWNLOADS = 4

_log = logging.getLogger(__name__)

Say = Callable[[str], None]


class Source(Protocol):
    """A way of getting a file; raises FetchError when it cannot."""

    def deliver(self, file: LockedFile, target: Path, progress: Progress) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file; `problem` is None when it is in place."""

    file: LockedFile
    problem: str | None


class Fetcher:
    """One run over a lock file."""

    def __init__(self, state_dir: Path, say: Say, sources: dict[str, Source] | None = None) -> None:
        self._state_dir = state_dir
        self._archives_dir = state_dir / "downloads"
        self._say = say
        self._stamps = Stamps(state_dir)
        self._sources: dict[str, Source] = sources or {
            "upstream": Hubs(),
            "package index": PackageIndex(self._archives_dir),
            "system packages": SystemPackages(self._archives_dir),
        }

    def run(self, lock: Lock) -> list[Outcome]:
        """Put every file of the lock in place, the largest first, and write the voices' index.

        Two runs on one state folder take turns.
        """
        self._state_dir.mkdir(parents=True, exist_ok=True)
        with (self._state_dir / ".fetching").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            return self._run(lock)

    def _run(self, lock: Lock) -> list[Outcome]:
        files = sorted(lock.files, key=lambda file: -file.size_bytes)
        wanted = [file for file in files if not self._stamps.verified(file)]
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            fetched = dict(zip([file.path for file in wanted], pool.map(self._fetch, wanted), strict=True))
        outcomes = [fetched.get(file.path, Outcome(file, None)) for file in files]
        if lock.voices:
            write_index(lock.voices, self._state_dir / "voices")
        if all(outcome.problem is None for outcome in outcomes):
            shutil.rmtree(self._archives_dir, ignore_errors=True)
        return outcomes

    def _fetch(self, file: LockedFile) -> Outcome:
        target = self._state_dir / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        problems: list[str] = []
        for name, source in self._sources.items():
            started_s = time.monotonic()
            try:
                self._deliver(file, name, source, target)
            except FetchError as error:
                problems.append(str(error))
                continue
            except OSError as error:
                problems.append(f"{name}: {error}")
                continue
            megabytes, taken_s = file.size_bytes / 1e6, time.monotonic() - started_s
            self._say(f"{file.path}: {megabytes:.1f} MB from {name} in {taken_s:.1f} s")
            return Outcome(file, None)
        problem = "; ".join(problems)
        self._say(f"{file.path}: FAILED: {problem}")
        return Outcome(file, problem)

    def _deliver(self, file: LockedFile, name: str, source: Source, target: Path) -> None:
        # A part per source: what one source left unfinished is no beginning of another's.
        partial = target.with_name(f"{target.name}.{name.replace(' ', '-')}.part")
        progress = Progress(file.size_bytes, lambda percent: self._report(file, percent))
        source.deliver(file, partial, progress)
        arrived_bytes = partial.stat().st_size
        if arrived_bytes < file.size_bytes:  # the part stays, and the next run goes on from there
            raise FetchError(f"{name}: ended after {arrived_bytes} of {file.size_bytes} bytes")
        found = sha256_of(partial)
        if found != file.sha256:
            partial.unlink()
            raise FetchError(f"{name}: refused, sha256 is {found}, wanted {file.sha256}")
        partial.replace(target)
        for leftover in target.parent.glob(f"{target.name}.*.part"):
            leftover.unlink()
        self._stamps.record(file)

    def _report(self, file: LockedFile, percent: int) -> None:
        if file.size_bytes > 100_000_000:
            self._say(f"{file.path}: {percent} %")
