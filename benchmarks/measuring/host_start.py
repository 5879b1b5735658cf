"""Runs the Functions host as it is and writes down when each step of its start was done.

`python -m benchmarks.measuring.host_start STEPS [options of the host]`: STEPS becomes a JSON object, step → Unix
epoch ms. The host is the local one, unchanged; only the functions that mark a step are wrapped.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

PROCESS, HOST, APP, INDEX = "process", "host", "app", "index"
"""The interpreter runs; the host's own code is there; the app is imported; its functions are indexed."""


def main() -> int:
    """The host's exit status."""
    steps = {PROCESS: time.time() * 1000}
    target = Path(sys.argv.pop(1))
    from local_stack.functions_host import __main__ as host  # noqa: PLC0415 - its import is one of the steps

    steps[HOST] = time.time() * 1000
    wrapped: Any = host
    wrapped.import_function_app = _noting(wrapped.import_function_app, steps, APP)
    wrapped.index_functions = _noting(wrapped.index_functions, steps, INDEX, target)
    return host.main()


def _noting(
    step_of: Callable[P, R], steps: dict[str, float], name: str, target: Path | None = None
) -> Callable[P, R]:
    """The same function, which writes down when it is done."""

    def noted(*args: P.args, **kwargs: P.kwargs) -> R:
        result = step_of(*args, **kwargs)
        steps[name] = time.time() * 1000
        if target is not None:
            target.write_text(json.dumps(steps), encoding="utf-8")
        return result

    return noted


if __name__ == "__main__":
    raise SystemExit(main())
