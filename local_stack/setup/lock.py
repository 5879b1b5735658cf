"""Compiles the lists of packages with their hashes: `python3 -m local_stack.setup.lock`, by way of uv."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from local_stack.setup.step import ROOT

_COMPILER = "uv==0.13.9"
_PYTHON_VERSION = "3.11"
_DEADLINE_SECONDS = 300
# What Azure runs first: the list for development contains it and must agree with it.
_LISTS = (("requirements.in", "requirements.txt"), ("requirements-dev.in", "requirements-dev.txt"))


def main() -> int:
    """Write the locks; a version that is locked already stays where it still fits. 1 if that fails."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        try:
            _run([str(python), "-m", "pip", "install", "--quiet", _COMPILER])
            constraint: list[str] = []
            for source, target in _LISTS:
                command = [str(python), "-m", "uv", "pip", "compile", "--quiet", "--generate-hashes"]
                command += ["--python-version", _PYTHON_VERSION, "--no-header", "--no-annotate"]
                _run([*command, *constraint, source, "--output-file", target])
                constraint = ["--constraint", target]
        except subprocess.SubprocessError as problem:
            print(f"the lists could not be compiled: {problem}", file=sys.stderr)
            return 1
    return 0


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True, timeout=_DEADLINE_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
