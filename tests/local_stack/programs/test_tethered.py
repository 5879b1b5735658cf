"""A tethered program dies with its parent and can run as somebody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_stack.programs.launch import become, tethered
from tests.local_stack.running_part import ROOT, exists, until

_PARENT = """
import subprocess, sys
from local_stack.programs.launch import tethered
child = subprocess.Popen(tethered(["/bin/sleep", "60"]))
print(child.pid, flush=True)
child.wait()
"""
_needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def test_the_child_goes_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until(lambda: b"sleep" in _command_line(child))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not exists(child), 5)


def test_the_status_and_output_of_the_command_come_through() -> None:
    done = subprocess.run(
        tethered(["/bin/sh", "-c", "echo here; exit 7"]), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (7, "here\n")


def test_a_missing_command_is_one_line() -> None:
    done = subprocess.run(tethered(["/nowhere/program"]), capture_output=True, text=True, check=False)
    assert done.returncode == 126
    assert done.stderr == "cannot run /nowhere/program: No such file or directory\n"


def test_becoming_a_missing_program_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert become(["/nowhere/program"]) == 1
    assert capsys.readouterr().err == "cannot run /nowhere/program: No such file or directory\n"


@_needs_root
def test_root_becomes_another_user_for_good() -> None:
    command = tethered(["/usr/bin/id", "-u"], user=(65534, 65534))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "65534\n"


def _command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
