"""`python -m local_stack.models`: fetch and verify; needs nothing but Python and pip."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path

from local_stack.models.fetcher import Fetcher
from local_stack.models.lockfile import LOCK_PATH, LockError, read_lock


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when every file is in place, 1 when one is missing, 2 when asked wrongly."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.models", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=Path(os.environ.get("LOCAL_STATE_DIR", ".local")))
    parser.add_argument("--only", nargs="+", default=[], metavar="GROUP", help="of the groups in lock.json")
    parser.add_argument("--lock", type=Path, default=LOCK_PATH, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    started_s = time.monotonic()
    try:
        lock = read_lock(options.lock).select(options.only)
    except LockError as error:
        print(error, file=sys.stderr)
        return 2
    outcomes = Fetcher(options.state_dir, lambda line: print(line, flush=True)).run(lock)
    missing = [outcome for outcome in outcomes if outcome.problem is not None]
    taken_s = time.monotonic() - started_s
    print(f"{len(outcomes) - len(missing)} of {len(outcomes)} files verified in {taken_s:.1f} s", flush=True)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
