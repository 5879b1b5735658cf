"""Sets a checkout up: `python3 -m local_stack.setup [--chromium]`; a second run takes a fraction of a second."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import time
from pathlib import Path

from local_stack.setup.step import ROOT, SetupError, Step, is_due, run_steps
from local_stack.setup.steps import build_steps, require_tools

_WORTH_TELLING_SECONDS = 1.0


def main() -> int:
    """Run what is due; 0 when everything is in place, 1 with a clear line when not."""
    parser = argparse.ArgumentParser(prog="python3 -m local_stack.setup")
    parser.add_argument("--chromium", action="store_true", help="find or install a browser for the tests")
    options = parser.parse_args()
    state_dir = Path(os.environ.get("LOCAL_STATE_DIR") or ROOT / ".local").absolute()
    log_dir = state_dir / "logs"
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        require_tools()
        with (state_dir / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _run(build_steps(state_dir), log_dir)
            if options.chromium:
                _chromium(state_dir, log_dir)
    except SetupError as problem:
        print(f"set-up stopped: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"set-up stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up was interrupted; it goes on where it was at the next run", file=sys.stderr)
        return 130
    return 0


def _run(steps: list[Step], log_dir: Path) -> None:
    due = [step.name for step in steps if not step.always and is_due(step)]
    if due:
        print(f"setting up ({', '.join(due)}), logs in {log_dir}", flush=True)
    started = time.monotonic()

    def report(step: Step, seconds: float) -> None:
        if step.name in due or seconds > _WORTH_TELLING_SECONDS:
            print(f"  {step.name:<16} {seconds:6.1f} s", flush=True)

    run_steps(steps, log_dir, report)
    if due:
        print(f"set up after {time.monotonic() - started:.1f} s", flush=True)


def _chromium(state_dir: Path, log_dir: Path) -> None:
    # Imported here because only the tests need a browser.
    from local_stack.setup.chromium import find_chromium, install_chromium  # noqa: PLC0415

    if find_chromium(state_dir) is None:
        print("installing Chromium for the tests", flush=True)
        started = time.monotonic()
        program = install_chromium(state_dir, log_dir)
        print(f"  {'chromium':<16} {time.monotonic() - started:6.1f} s: {program}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
