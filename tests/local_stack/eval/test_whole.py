"""The command from outside, with a stack of its own: a call that is as expected, and one that is not."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from local_stack.samples.catalogue import sample_scenarios
from local_stack.supervisor.addresses import PORTS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

WRONG = """
title: The agent does not say what is wanted, and no such tool is called
agent: helpline
caller: {lines: [{say: "When does the water come?", reply: From six to nine.}]}
expect:
  turns: [{turn: 1, said: {contains: at noon}}, {turn: 1, heard: {contains: the water}}]
  call: {tools: [{name: look_up_order}]}
"""


def test_a_call_that_is_not_as_expected_fails_the_run(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(WRONG)
    right = [str(file) for file in sample_scenarios() if file.stem in ("order-look-up", "silence", "persona")]
    variables = {variable for variable, _ in PORTS.values()}
    environment = {name: value for name, value in os.environ.items() if name not in variables}
    done = subprocess.run(
        [sys.executable, "-m", "local_stack", "eval", *right, str(wrong), "--report", str(tmp_path / "report")],
        cwd=ROOT,
        env={**environment, "LOCAL_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    suite = ET.parse(tmp_path / "report" / "junit.xml").getroot()[0]
    failures = {case.get("name"): case.find("failure") for case in suite}
    assert suite.get("tests") == "4"
    assert (failures["order-look-up"], failures["silence"]) == (None, None)
    skipped = {case.get("name") for case in suite if case.find("skipped") is not None}
    assert skipped == {"persona"}, "it is for a model that thinks"
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<audio") == 1, "one of them was spoken"
    assert "tomorrow before noon" in page
    failure = failures["wrong"]
    assert failure is not None
    assert failure.text is not None
    assert failure.text.splitlines() == [
        "the agent says 'at noon'; found: From six to nine.",
        "look_up_order is called; found: never called",
    ]
