"""Measures how long the function app takes from the start of its process until it listens, and what costs it.

    python -m benchmarks.cold_start [--runs 5]

Times are of this machine with warm file caches and the local host; nothing is connected at the start, so no other
part of the stack has to run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.measuring import report
from benchmarks.measuring.distribution import Distribution
from benchmarks.measuring.ports import free_ports
from local_stack.supervisor.addresses import PORTS, ROOT, Addresses
from local_stack.supervisor.app_settings import app_settings
from local_stack.supervisor.stored_secrets import open_secrets

_SHOWN = 10
_LISTENS_WITHIN_S = 30.0
STEPS = (
    "interpreter starts",
    "host's own modules",
    "app's modules (function_app)",
    "functions indexed",
    "host starts and listens",
)
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| (\s*)(\S+)")


@dataclass(frozen=True, slots=True)
class Import:
    """One module: time for itself and with all that it imported first, in ms."""

    module: str
    own_ms: float
    whole_ms: float


class StartFailed(Exception):
    """The app did not start; the text is what it said."""


def read_import_times(text: str) -> list[Import]:
    """What `python -X importtime` printed. Source: https://docs.python.org/3/using/cmdline.html#cmdoption-X"""
    return [Import(found[4], int(found[1]) / 1000, int(found[2]) / 1000) for found in _LINE.finditer(text)]


def most_expensive(imports: Sequence[Import], count: int, within: str) -> list[Import]:
    """The packages that cost most, a package's modules taken together, without `within` itself.

    Times of a package are the own times of its modules, so that what two packages share is counted once.
    """
    own: dict[str, float] = {}
    whole: dict[str, float] = {}
    for each in imports:
        package = _package(each.module)
        own[package] = own.get(package, 0.0) + each.own_ms
        whole[package] = max(whole.get(package, 0.0), each.whole_ms)
    costly = sorted((name for name in own if name != within), key=lambda name: -own[name])
    return [Import(name, own[name], whole[name]) for name in costly[:count]]


def _package(module: str) -> str:
    """`azure.functions.http` is of `azure.functions`, `json.decoder` of `json`."""
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "azure" else 1])


def time_import(settings: dict[str, str]) -> tuple[float, float, list[Import]]:
    """Wall and CPU time of `import function_app` in a fresh process (ms), and the imports within it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    plain = [sys.executable, "-c", "import function_app"]
    _run(plain, settings)
    wall_ms = (time.perf_counter() - started) * 1000
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_ms = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
    told = _run([sys.executable, "-X", "importtime", *plain[1:]], settings)
    return wall_ms, cpu_ms, read_import_times(told)


def time_start(settings: dict[str, str]) -> float:
    """From the start of the host's process until it answers over HTTP, in ms. Raises: StartFailed."""
    with tempfile.TemporaryDirectory() as folder:
        return _start(["local_stack.functions_host"], settings, Path(folder))[1]


def time_steps(settings: dict[str, str]) -> dict[str, float]:
    """What each step of one start took, in ms, in order. Raises: StartFailed."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "steps.json"
        began_ms, took_ms = _start(["benchmarks.measuring.host_start", str(told)], settings, Path(folder))
        moments = [began_ms, *json.loads(told.read_text()).values(), began_ms + took_ms]
    return {name: later - earlier for name, (earlier, later) in zip(STEPS, pairwise(moments), strict=True)}


def _start(module: list[str], settings: dict[str, str], folder: Path) -> tuple[float, float]:
    """When the process was started (Unix epoch ms), and how long it took until it listened."""
    (port,) = free_ports(1)
    log = folder / "log"
    command = [sys.executable, "-m", *module, "--port", str(port), "--state-dir", str(folder)]
    with log.open("wb") as output:
        began_ms, started = time.time() * 1000, time.perf_counter()
        host = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=output, stderr=output)
        try:
            while not _listens(port):
                if host.poll() is not None or time.perf_counter() - started > _LISTENS_WITHIN_S:
                    raise StartFailed(log.read_text()[-500:])
                time.sleep(0.005)
            return began_ms, (time.perf_counter() - started) * 1000
        finally:
            host.send_signal(signal.SIGTERM)
            host.wait(10)


def _listens(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        raise StartFailed(f"/api/health/live answers {error.code}") from None
    except (urllib.error.URLError, OSError):
        return False


def _run(command: list[str], settings: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StartFailed(done.stderr.strip()[-500:])
    return done.stderr


def settings_of_no_stack() -> dict[str, str]:
    """App settings of a stack that is not there: enough for a start, which connects nowhere."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        return app_settings(Addresses(Path(folder), numbers), open_secrets(Path(folder)))


def main() -> int:
    """Parse the command line and run; 1 when the app does not start."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cold_start", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    settings = settings_of_no_stack()
    try:
        imported = [time_import(settings) for _ in range(options.runs)]
        started = [time_start(settings) for _ in range(options.runs)]
        steps = [time_steps(settings) for _ in range(options.runs)]
    except StartFailed as problem:
        print(f"the app does not start: {problem}", file=sys.stderr)
        return 1
    quickest = min(imported, key=lambda each: each[0])[2]
    costly = most_expensive(quickest, _SHOWN, "function_app")
    spreads = {
        "process start → listening": Distribution.of(started),
        **{f"  {name}": Distribution.of(each[name] for each in steps) for name in STEPS},
        "import of function_app, with the interpreter's start": Distribution.of(each[0] for each in imported),
        "  its CPU": Distribution.of(each[1] for each in imported),
    }
    rows = [[name, each and each.p50, each and each.max] for name, each in spreads.items()]
    print(report.table([f"ms, {options.runs} runs", "p50", "max"], rows))
    print()
    print(
        report.table(
            ["package, ms", "own", "with its imports"], [[one.module, one.own_ms, one.whole_ms] for one in costly]
        )
    )
    figures: dict[str, object] = {
        "runs": options.runs,
        "start_to_listening_ms": [round(each) for each in started],
        "steps_ms": {name: [round(each[name]) for each in steps] for name in STEPS},
        "import_ms": [round(each[0]) for each in imported],
        "import_cpu_ms": [round(each[1]) for each in imported],
        "imports": [{"package": one.module, "own_ms": one.own_ms, "whole_ms": one.whole_ms} for one in costly],
    }
    print(f"\nkept in {report.keep('cold_start', figures)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
