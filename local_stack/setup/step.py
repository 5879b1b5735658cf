"""One step of the set-up: when it is due, how it is run, what its log shows when it fails."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TAIL_LINES = 15
STEP_DEADLINE_SECONDS = 900


class SetupError(Exception):
    """The set-up cannot go on; the text says in a line what to do, and may have a log's tail below."""


@dataclass(frozen=True)
class Step:
    """Commands that turn some input files into something on disk."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    inputs: tuple[Path, ...]
    """Files or folders whose content decides whether the step is due again."""
    stamp: Path
    """Lies inside what the step makes, so that removing that makes the step due."""
    folder: Path = ROOT
    after: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    always: bool = False
    """The command itself knows, and fast, what there is to do."""


def is_due(step: Step) -> bool:
    """Tell whether the step has to run."""
    if step.always:
        return True
    try:
        return step.stamp.read_text(encoding="ascii") != _fingerprint(step)
    except FileNotFoundError:
        return True


def run_step(step: Step, log_dir: Path) -> float:
    """Run the commands into the step's log file, then stamp it; return the time it took, in seconds.

    Raises:
        SetupError: a command failed or took too long.
    """
    started = time.monotonic()
    log_path = log_dir / f"setup-{step.name}.log"
    fingerprint = "" if step.always else _fingerprint(step)
    with log_path.open("wb") as log:
        for command in step.commands:
            log.write(f"$ {' '.join(command)}\n".encode())
            log.flush()
            try:
                done = subprocess.run(
                    command,
                    cwd=step.folder,
                    env={**os.environ, **step.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=STEP_DEADLINE_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired as problem:
                raise SetupError(f"{step.name}: not done within {STEP_DEADLINE_SECONDS} s") from problem
            if done.returncode != 0:
                program = " ".join(Path(word).name for word in command[:3])
                raise SetupError(f"{step.name}: {program} failed, status {done.returncode}{_tail(log_path)}")
    if not step.always:
        step.stamp.parent.mkdir(parents=True, exist_ok=True)
        step.stamp.write_text(fingerprint, encoding="ascii")
    return time.monotonic() - started


def run_steps(steps: list[Step], log_dir: Path, report: Callable[[Step, float], None]) -> None:
    """Run the steps that are due, all at once as far as `after` allows.

    Raises:
        SetupError: the first failure; steps under way are waited for, no others are begun.
    """
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait  # noqa: PLC0415

    due = {step.name: step for step in steps if is_due(step)}
    log_dir.mkdir(parents=True, exist_ok=True)
    running: dict[Future[float], Step] = {}
    failure: SetupError | None = None
    with ThreadPoolExecutor(max_workers=max(len(due), 1)) as pool:
        while due or running:
            unfinished = {*due, *(step.name for step in running.values())}
            for step in [] if failure else list(due.values()):
                if unfinished.isdisjoint(step.after):
                    running[pool.submit(run_step, due.pop(step.name), log_dir)] = step
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                problem = future.exception()
                if problem is None:
                    report(step, future.result())
                elif isinstance(problem, SetupError):
                    failure = failure or problem
                else:
                    raise problem
    if failure:
        raise failure


def _fingerprint(step: Step) -> str:
    digest = hashlib.sha256()
    digest.update(f"{sys.version_info[:2]} {platform.machine()} {step.commands}\n".encode())
    for path in step.inputs:
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        for file in files:
            digest.update(f"{file.relative_to(ROOT)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "".join(f"\n    {line}" for line in lines) + f"\n    (all of it: {path})"
