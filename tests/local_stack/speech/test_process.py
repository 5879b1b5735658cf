"""The service as a process: readiness, a taken port, its end."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.local_stack.running_part import end, free_ports, listens, running, start, until


def test_scripted_mode_starts_and_ends(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    process = start("local_stack.speech", "--port", port, "--mode", "scripted", "--state-dir", tmp_path)
    until(lambda: listens(port))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        assert json.load(answer) == {"status": "ready", "loading": []}
    assert end(process, signal.SIGTERM) == 0


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    arguments = ("local_stack.speech", "--port", port, "--mode", "scripted", "--state-dir", tmp_path)
    with running(*arguments):
        until(lambda: listens(port))
        second = start(*arguments)
        output, _ = second.communicate(timeout=20)
    assert second.returncode == 2
    (line,) = output.strip().splitlines()
    assert str(port) in line


def test_a_broken_script_is_one_clear_line(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('[{"reply": "x"}]')
    process = start("local_stack.speech", "--port", free_ports(1)[0], "--mode", "scripted", "--script", script)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "dialogue[0] needs heard" in output
    assert len(output.strip().splitlines()) == 1


@pytest.mark.slow
def test_missing_models_are_named(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    answers: list[str] = []

    def failed() -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
        except urllib.error.HTTPError as error:
            answers.append(error.read().decode())
            return error.code == 500
        except OSError:
            return False
        return False

    with running("local_stack.speech", "--port", port, "--state-dir", tmp_path):
        until(failed)
    assert "is missing; python -m local_stack.models fetches it" in answers[-1]
