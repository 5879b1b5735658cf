"""Builds the command line that ties a foreign program to the process that starts it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

_TETHERED = Path(__file__).with_name("tethered.py")


def tethered(
    command: list[str],
    *,
    user: tuple[int, int] | None = None,
    how: Literal["namespace", "real"] = "real",
) -> list[str]:
    """Return the command that runs `command` as a child which dies with this process.

    `user` is (uid, gid) to run as: inside a user namespace (`how="namespace"`), or really (`how="real"`,
    which needs root). `command[0]` is an absolute path.
    """
    prefix = [sys.executable, "-S", "-E", str(_TETHERED), "--parent", str(os.getpid())]
    if user is not None:
        option = "--namespace-user" if how == "namespace" else "--user"
        prefix += [option, f"{user[0]}:{user[1]}"]
    return [*prefix, "--", *command]


def become(command: list[str]) -> int:
    """Replace this process by the command; return an exit status only where that fails."""
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as problem:
        print(f"cannot run {command[0]}: {problem.strerror}", file=sys.stderr)
        return 1
