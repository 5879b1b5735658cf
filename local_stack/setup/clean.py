"""Removes what the stack has kept: `python3 -m local_stack.setup.clean [--keep-models]`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from local_stack.setup.step import ROOT

_KEPT_WITH_MODELS = frozenset({"models", "voices", "chromium"})
# Where PostgreSQL had to go to be reachable for another user; see local_stack/postgres/cluster.py.
_REFUGE_PREFIX = "voice-agent-postgres-"


def main() -> int:
    """Remove the state folder, or all of it but what was downloaded; 2 if it is no folder of ours."""
    parser = argparse.ArgumentParser(prog="python3 -m local_stack.setup.clean")
    parser.add_argument("--keep-models", action="store_true")
    options = parser.parse_args()
    state_dir = Path(os.environ.get("LOCAL_STATE_DIR") or ROOT / ".local").absolute()
    if not state_dir.exists():
        return 0
    if ROOT.is_relative_to(state_dir.resolve()) or not (state_dir / "logs").is_dir():
        print(f"{state_dir} is not the folder of a local stack: it is left alone", file=sys.stderr)
        return 2
    remove_state(state_dir, keep=_KEPT_WITH_MODELS if options.keep_models else frozenset())
    return 0


def remove_state(state_dir: Path, keep: frozenset[str]) -> None:
    """Remove everything in `state_dir` but the entries in `keep`, and the folder itself if nothing is kept."""
    data = state_dir / "postgres" / "data"
    if data.is_symlink():
        refuge = data.resolve().parent
        if refuge.name.startswith(_REFUGE_PREFIX):
            shutil.rmtree(refuge)
    for entry in state_dir.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if not any(state_dir.iterdir()):
        state_dir.rmdir()


if __name__ == "__main__":
    raise SystemExit(main())
