"""Finds an account that PostgreSQL accepts, since it refuses to run as root and we create no users."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local_stack.programs.launch import tethered

_PROBE_DEADLINE_SECONDS = 10
_UNPRIVILEGED_USER = "nobody"

How = Literal["ourselves", "namespace", "other_user"]


@dataclass(frozen=True)
class Account:
    """Who the server runs as: ourselves, ourselves under another number, or really somebody else."""

    how: How
    uid: int
    gid: int

    def command(self, command: list[str]) -> list[str]:
        """Return the command line that runs `command` as this account and dies with this process."""
        if self.how == "ourselves":
            return tethered(command)
        how: Literal["namespace", "real"] = "namespace" if self.how == "namespace" else "real"
        return tethered(command, user=(self.uid, self.gid), how=how)

    def can_enter(self, path: Path) -> bool:
        """Tell whether this account may walk down to `path`."""
        if self.how != "other_user":
            return True
        return all(self._may_pass(folder) for folder in path.resolve().parents)

    def _may_pass(self, folder: Path) -> bool:
        facts = folder.stat()
        if facts.st_uid == self.uid:
            return bool(facts.st_mode & stat.S_IXUSR)
        if facts.st_gid == self.gid:
            return bool(facts.st_mode & stat.S_IXGRP)
        return bool(facts.st_mode & stat.S_IXOTH)


def choose_account() -> Account:
    """Return the account for this machine: the least change of user that PostgreSQL accepts."""
    if os.geteuid() != 0:
        return Account("ourselves", os.geteuid(), os.getegid())
    entry = pwd.getpwnam(_UNPRIVILEGED_USER)
    in_namespace = Account("namespace", entry.pw_uid, entry.pw_gid)
    if _works(in_namespace):
        return in_namespace
    return Account("other_user", entry.pw_uid, entry.pw_gid)


def _works(account: Account) -> bool:
    probe = subprocess.run(
        account.command(["/bin/true"]), capture_output=True, timeout=_PROBE_DEADLINE_SECONDS, check=False
    )
    return probe.returncode == 0
