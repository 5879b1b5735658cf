"""Everything that a fresh checkout needs, as steps."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from local_stack.setup.step import ROOT, SetupError, Step

_OLDEST_PYTHON = (3, 11)
_NPM_OPTIONS = ("--no-audit", "--no-fund", "--no-progress", "--loglevel=error")


def require_tools() -> None:
    """Return if the tools that cannot be installed from here are present.

    Raises:
        SetupError: one is missing; the text says what to do.
    """
    if sys.version_info < _OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(f"Python {found} is too old: install Python 3.11 and say PYTHON=python3.11")
    for name, package in (("node", "Node.js 20 or newer"), ("npm", "npm")):
        if shutil.which(name) is None:
            raise SetupError(f"{name} is missing: install {package} (on Debian: apt-get install nodejs npm)")
    if not (ROOT / ".venv" / "bin" / "python").exists():
        try:
            import ensurepip  # noqa: F401, PLC0415
        except ModuleNotFoundError as problem:
            version = ".".join(map(str, sys.version_info[:2]))
            raise SetupError(
                f"Python's venv module is incomplete: on Debian apt-get install python{version}-venv"
            ) from problem


def build_steps(state_dir: Path) -> list[Step]:
    """Return the steps for running and developing."""
    return [*_python_steps(ROOT / ".venv"), _azurite(), *_talk_page(), *_models(state_dir)]


def _python_steps(venv: Path) -> list[Step]:
    lock = ROOT / "requirements-dev.txt"
    if lock.exists():
        requirements: tuple[str, ...] = ("--require-hashes", "-r", str(lock))
        inputs: tuple[Path, ...] = (lock,)
    else:
        requirements = ("-r", str(ROOT / "requirements-dev.in"))
        inputs = (ROOT / "requirements-dev.in", ROOT / "requirements.in")
    # Without byte code, because only a part of it is ever imported, and that part is compiled at its import.
    install = (str(venv / "bin" / "python"), "-m", "pip", "install", "--no-compile", "--no-input")
    return [
        Step(
            name="venv",
            commands=((sys.executable, "-m", "venv", str(venv)),),
            inputs=(),
            stamp=venv / ".made",
        ),
        Step(
            name="python-packages",
            commands=((*install, "--disable-pip-version-check", "--progress-bar=off", *requirements),),
            inputs=inputs,
            stamp=venv / ".installed",
            after=("venv",),
        ),
    ]


def _azurite() -> Step:
    folder = ROOT / "local_stack" / "azurite"
    return Step(
        name="azurite",
        commands=(("npm", "ci", "--ignore-scripts", "--omit=dev", *_NPM_OPTIONS),),
        inputs=(folder / "package-lock.json",),
        stamp=folder / "node_modules" / ".installed",
        folder=folder,
    )


def _talk_page() -> list[Step]:
    folder = ROOT / "clients" / "talk"
    if not (folder / "package-lock.json").exists():
        return []
    sources = tuple(each for each in (folder / "src", folder / "build.mjs", folder / "package.json"))
    return [
        Step(
            name="talk-packages",
            commands=(("npm", "ci", "--ignore-scripts", *_NPM_OPTIONS),),
            inputs=(folder / "package-lock.json",),
            stamp=folder / "node_modules" / ".installed",
            folder=folder,
        ),
        Step(
            name="talk-page",
            commands=(("npm", "run", "--silent", "build"),),
            inputs=(*sources, folder / "package-lock.json"),
            stamp=ROOT / "functions" / "pages" / "static" / ".built",
            folder=folder,
            after=("talk-packages",),
        ),
    ]


def _models(state_dir: Path) -> list[Step]:
    python = ROOT / ".venv" / "bin" / "python"
    return [
        Step(
            name="models",
            commands=((str(python), "-m", "local_stack.models", "--state-dir", str(state_dir)),),
            inputs=(),
            stamp=state_dir / "models" / ".verified.json",
            after=("venv",),
            always=True,
        )
    ]
