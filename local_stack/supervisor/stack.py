"""The whole stack: starts parts in the order of their needs, watches them, stops them in reverse."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from local_stack.programs.ports import require_free_port
from local_stack.supervisor.part import Part, Preparation
from local_stack.supervisor.process import PartFailed, PartProcess, run_preparation

_WATCHDOG = Path(__file__).with_name("watchdog.py")
# Together with the slack of a busy machine, stopping everything takes at most about eight seconds.
_PATIENCE_SECONDS = 3.5

Report = Callable[[str], None]


class CommandRefused(Exception):
    """A command that makes no sense now; the text says why."""


class Stack:
    """The parts of one `up`, running or not."""

    def __init__(self, parts: list[Part], preparations: list[Preparation], log_dir: Path, report: Report) -> None:
        names = {part.name for part in parts}
        self._preparations = [each for each in preparations if names.issuperset(each.after)]
        self._log_dir = log_dir
        self._report = report
        self._processes = {part.name: PartProcess(part, log_dir, self._tell_watchdog) for part in parts}
        self._done = {name: asyncio.Event() for name in (*names, *(p.name for p in self._preparations))}
        self._watchdog: asyncio.subprocess.Process | None = None
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._changes = asyncio.Lock()
        self._is_up = False

    def has_all(self, port_names: Iterable[str]) -> bool:
        """Tell whether all these ports belong to parts of this stack."""
        ours = {name for process in self._processes.values() for name in process.part.ports}
        return ours.issuperset(port_names)

    def require_free_ports(self) -> None:
        """Check every port before anything starts.

        Raises:
            PortTaken: the first one that is not free.
        """
        for process in self._processes.values():
            part = process.part
            for name, port in part.ports.items():
                require_free_port(port, part=part.name, variable=part.variable(name))

    async def start(self) -> None:
        """Start everything, as much at once as the parts' needs allow.

        Raises:
            PartFailed: the first failure; what runs by then goes on until `stop`.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._watchdog = await asyncio.create_subprocess_exec(
            sys.executable, "-S", "-E", str(_WATCHDOG), stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        failed: BaseExceptionGroup[PartFailed] | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                for preparation in self._preparations:
                    tasks.create_task(self._prepare(preparation))
                for process in self._processes.values():
                    tasks.create_task(self._start_in_turn(process))
        except* PartFailed as failures:
            failed = failures
        if failed is not None:
            # Outside of the handler, which may wrap what it raises into a group.
            raise _first(failed) from None
        self._is_up = True

    async def restart(self, name: str, *, how: signal.Signals = signal.SIGTERM) -> str:
        """Stop a part (with `SIGKILL`: as a crash would) and start it again; return a line about it."""
        process = self._process(name)
        async with self._changes:
            await self._stop_one(process, how)
            await self._start_one(process)
        return f"{name} is ready again after {process.took_ms:.0f} ms"

    async def kill(self, name: str) -> str:
        """End a part as a crash would (`SIGKILL` for its whole group) and leave it so."""
        process = self._process(name)
        async with self._changes:
            await self._stop_one(process, signal.SIGKILL)
        return f"{name} is killed"

    async def start_again(self, name: str) -> str:
        """Start a part that does not run."""
        process = self._process(name)
        async with self._changes:
            if process.pid is not None:
                return f"{name} runs already"
            await self._start_one(process)
        return f"{name} is ready after {process.took_ms:.0f} ms"

    def status(self) -> list[dict[str, object]]:
        """Return name, state, process id and address of every part."""
        return [
            {"name": name, "state": each.state, "pid": each.pid, "address": each.part.address}
            for name, each in self._processes.items()
        ]

    async def stop(self) -> None:
        """Stop everything: first what needs others, then the rest."""
        for watcher in self._watchers.values():
            watcher.cancel()
        needed = {name for each in self._processes.values() for name in each.part.after}
        for wanted_by_others in (False, True):
            group = [each for name, each in self._processes.items() if (name in needed) is wanted_by_others]
            await asyncio.gather(*(each.stop(patience_seconds=_PATIENCE_SECONDS) for each in group))
        if self._watchdog is not None and self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
            await self._watchdog.wait()

    async def _prepare(self, preparation: Preparation) -> None:
        await self._wait_for(preparation.after)
        took_ms = await run_preparation(preparation, self._log_dir)
        self._report(f"  {preparation.name:<12} {'prepared':<46} {took_ms:6.0f} ms")
        self._done[preparation.name].set()

    async def _start_in_turn(self, process: PartProcess) -> None:
        await self._wait_for(process.part.after)
        await self._start_one(process)
        self._report(f"  {process.part.name:<12} {process.part.address:<46} {process.took_ms:6.0f} ms")
        self._done[process.part.name].set()

    async def _wait_for(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self._done:  # a part that was left out is nobody's need
                await self._done[name].wait()

    async def _start_one(self, process: PartProcess) -> None:
        await process.start()
        self._watchers[process.part.name] = asyncio.create_task(self._watch(process))

    async def _stop_one(self, process: PartProcess, how: signal.Signals) -> None:
        if watcher := self._watchers.pop(process.part.name, None):
            watcher.cancel()
        await process.stop(patience_seconds=_PATIENCE_SECONDS, how=how)

    async def _watch(self, process: PartProcess) -> None:
        if line := await process.unexpected_end():
            again = f"python -m local_stack start {process.part.name}"
            self._report(f"! {line}\n    start it again with: {again}")

    def _process(self, name: str) -> PartProcess:
        if not self._is_up:
            raise CommandRefused("the stack is still starting: wait until it is up")
        if name not in self._processes:
            raise CommandRefused(f"{name!r} is no part of this stack; there are {', '.join(self._processes)}")
        return self._processes[name]

    def _tell_watchdog(self, line: str) -> None:
        if self._watchdog is None or self._watchdog.stdin is None or self._watchdog.stdin.is_closing():
            return
        self._watchdog.stdin.write(f"{line}\n".encode("ascii"))


def _first(group: BaseExceptionGroup[PartFailed]) -> PartFailed:
    problem = group.exceptions[0]
    return _first(problem) if isinstance(problem, BaseExceptionGroup) else problem
