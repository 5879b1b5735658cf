"""`up`: brings the stack up, places a call if wanted, stays until told to stop, and takes everything down."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local_stack.programs.ports import PortTaken
from local_stack.supervisor.addresses import PORTS, ROOT, Addresses, ConfigurationError
from local_stack.supervisor.app_settings import app_settings
from local_stack.supervisor.control import NotRunning, listening
from local_stack.supervisor.part import Part, ReadyCheck
from local_stack.supervisor.parts import build_parts, build_preparations, write_configuration
from local_stack.supervisor.process import PartFailed
from local_stack.supervisor.readiness import wait_until_ready
from local_stack.supervisor.stack import Stack
from local_stack.supervisor.stored_secrets import open_secrets

_CALL_PATIENCE_SECONDS = 3.0
_HEALTH_SECONDS = 30.0
EXIT_FAILED = 1
EXIT_BAD_REQUEST = 2


@dataclass(frozen=True)
class UpOptions:
    """What `up` was asked for."""

    call: bool = True
    """Place a call when everything is up."""
    once: bool = False
    """End after the call."""
    only: tuple[str, ...] = ()
    """Names of the parts to start; all if empty."""
    without: tuple[str, ...] = ()
    call_options: tuple[str, ...] = field(default=())


async def up(addresses: Addresses, options: UpOptions) -> int:
    """Run the stack; return the exit status: 0, 1 (a part or the call failed) or 2 (bad request)."""
    stop_asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop_asked.set)
    try:
        addresses.state_dir.mkdir(parents=True, exist_ok=True)
        secrets = open_secrets(addresses.state_dir)
        parts = _selected(build_parts(addresses, secrets), options)
        stack = Stack(parts, build_preparations(addresses, secrets), addresses.log_dir, _say)
        async with listening(addresses.state_dir, stack, stop_asked):
            stack.require_free_ports()
            write_configuration(addresses, secrets)
            call_environment = app_settings(addresses, secrets)
            try:
                return await _run(stack, addresses, options, call_environment, stop_asked)
            finally:
                started = time.monotonic()
                await stack.stop()
                _say(f"everything is stopped ({time.monotonic() - started:.1f} s)")
    except (ConfigurationError, PortTaken, NotRunning) as problem:
        print(problem, file=sys.stderr)
        return EXIT_BAD_REQUEST


async def _run(
    stack: Stack,
    addresses: Addresses,
    options: UpOptions,
    call_environment: dict[str, str],
    stop_asked: asyncio.Event,
) -> int:
    started = time.monotonic()
    _say(f"starting the local stack, logs in {addresses.log_dir}")
    starting = asyncio.ensure_future(_start(stack, addresses))
    if not await _before(starting, stop_asked):
        return EXIT_FAILED
    try:
        starting.result()
    except PartFailed as problem:
        print(problem, file=sys.stderr)
        return EXIT_FAILED
    _say(f"the stack is up after {time.monotonic() - started:.1f} s\n")
    status = 0
    if options.call:
        calling = asyncio.ensure_future(_call(options.call_options, call_environment))
        if not await _before(calling, stop_asked):
            return EXIT_FAILED
        status = calling.result()
    if options.once:
        return status
    if stack.has_all(("app",)):
        _say(f"talk to the agent: {addresses.url('app')}/")
    _say("end with Ctrl-C")
    await stop_asked.wait()
    return 0


async def _start(stack: Stack, addresses: Addresses) -> None:
    """Start everything; of a whole stack the app itself has to say that it reaches every part."""
    await stack.start()
    if not stack.has_all(PORTS):
        return
    check = ReadyCheck("http", addresses.ports["app"], "/api/health/ready")
    try:
        async with asyncio.timeout(_HEALTH_SECONDS):
            await wait_until_ready((check,))
    except TimeoutError:
        where = f"{addresses.url('app')}{check.path}"
        raise PartFailed(f"the app is up, but some part is not ready for it: see {where}") from None


async def _before(work: asyncio.Future[Any], stop_asked: asyncio.Event) -> bool:
    """Wait for the work; False if the stop was asked for first (the work is cancelled then)."""
    stop = asyncio.ensure_future(stop_asked.wait())
    await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if work.done():
        return True
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return False


async def _call(call_options: tuple[str, ...], environment: dict[str, str]) -> int:
    """Place a call and show it; return the exit status of the call."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local_stack.phones.call",
        *call_options,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_CALL_PATIENCE_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def _selected(parts: list[Part], options: UpOptions) -> list[Part]:
    known = {part.name for part in parts}
    for name in (*options.only, *options.without):
        if name not in known:
            raise ConfigurationError(f"{name!r} is no part; there are {', '.join(p.name for p in parts)}")
    return [
        part for part in parts if (not options.only or part.name in options.only) and part.name not in options.without
    ]


def _say(line: str) -> None:
    print(line, flush=True)
