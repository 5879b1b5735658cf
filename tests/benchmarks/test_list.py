"""The list of benchmarks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.__main__ import main, names, summary


def test_helpers_are_no_benchmarks() -> None:
    assert {"voice_to_voice", "cold_start", "web_pubsub"} <= set(names())
    assert not {"measuring", "calls", "results", "__main__"} & set(names())


@pytest.mark.parametrize("name", names())
def test_each_says_what_it_measures(name: str) -> None:
    assert summary(name)
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert "there is no benchmark 'nothing'" in capsys.readouterr().out
