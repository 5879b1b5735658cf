"""`python -m benchmarks [NAME [OPTIONS]]`: run one benchmark, or all of them one after the other.

A benchmark is a module of this package that can be run; what they share stands in the packages beside them.
"""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import benchmarks


def names() -> list[str]:
    """All benchmarks, in the order of their names."""
    found = pkgutil.iter_modules(benchmarks.__path__)
    return [module.name for module in found if not module.ispkg and module.name != "__main__"]


def summary(name: str) -> str:
    """What a benchmark says of itself in its first line."""
    text = (Path(benchmarks.__path__[0]) / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def main(arguments: list[str]) -> int:
    """Run what is asked for, each in a process of its own; gives the highest exit status, 2 for an unknown name."""
    wanted, options = arguments[:1] or names(), arguments[1:]
    if unknown := set(wanted) - set(names()):
        given = unknown.pop()
        print(f"{'' if given in ('-h', '--help') else f'there is no benchmark {given!r}; '}benchmarks are:")
        for name in names():
            print(f"  {name:<16} {summary(name)}")
        return 0 if given in ("-h", "--help") else 2
    worst = 0
    for name in wanted:
        if len(wanted) > 1:
            print(f"\n== {name}: {summary(name)}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False)
        worst = max(worst, abs(done.returncode))
    return worst


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
