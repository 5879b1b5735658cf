"""Runs a command that dies with the process that started it, if wanted as another user.

This file is executed by path, alone, as `python -S -E tethered.py OPTIONS -- COMMAND`, because the steps it
takes (a parent-death signal, a user namespace, another user) belong between fork and exec, where a program
with threads must not run Python code.

Source: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
Source: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_EXIT_CANNOT_START = 126


def die_with(parent_pid: int) -> None:
    """Ask the kernel to end this process as soon as its parent ends, however that happens."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot tie this process to its parent")
    if os.getppid() != parent_pid:
        raise SystemExit(_EXIT_CANNOT_START)


def enter_user_namespace(uid: int, gid: int) -> None:
    """Become `uid:gid` inside a namespace of our own, while files outside still see the user we are.

    PostgreSQL refuses user 0. In the namespace it sees `uid`, yet a folder that only root may enter stays
    open to it, because to the rest of the system it is root without privileges.

    Raises:
        OSError: the system does not allow user namespaces.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no user namespace: {os.strerror(number)}")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")


def become(uid: int, gid: int) -> None:
    """Give up root for good and be `uid:gid`."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def main(argv: list[str]) -> int:
    """Replace this process by the command; only failures return."""
    parser = argparse.ArgumentParser(prog="tethered")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--namespace-user", metavar="UID:GID")
    parser.add_argument("--user", metavar="UID:GID")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)
    try:
        if options.namespace_user:
            uid, gid = map(int, options.namespace_user.split(":"))
            enter_user_namespace(uid, gid)
        elif options.user:
            uid, gid = map(int, options.user.split(":"))
            become(uid, gid)
        # Last, because a change of user clears the parent-death signal.
        die_with(options.parent)
        os.execv(options.command[0], options.command)  # noqa: S606 - no shell is wanted
    except OSError as problem:
        print(f"cannot run {options.command[0]}: {problem.strerror}", file=sys.stderr)
    return _EXIT_CANNOT_START


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
