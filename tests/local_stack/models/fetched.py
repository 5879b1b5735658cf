"""Makes sure that models and voices are on disk: tests that need them fail, and never skip, without them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from local_stack.models.__main__ import main


@cache
def fetched_state_dir() -> Path:
    """The state folder, after the fetcher has verified every file in it."""
    state_dir = Path(os.environ.get("LOCAL_STATE_DIR", ".local")).resolve()
    assert main(["--state-dir", str(state_dir)]) == 0, "the locked files could not be fetched"
    return state_dir
