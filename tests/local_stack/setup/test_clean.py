"""`make clean` removes what the stack kept, and never a folder that is not its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from local_stack.setup.clean import remove_state
from tests.local_stack.running_part import ROOT


def _state(folder: Path) -> Path:
    state = folder / ".local"
    for name in ("logs", "models", "postgres"):
        (state / name).mkdir(parents=True)
    (state / "secrets.json").touch()
    return state


def _clean(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local_stack.setup.clean", *options],
        cwd=ROOT,
        env={**os.environ, "LOCAL_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_goes(tmp_path: Path) -> None:
    state = _state(tmp_path)
    assert _clean(state).returncode == 0
    assert not state.exists()
    assert _clean(state).returncode == 0


def test_models_can_be_kept(tmp_path: Path) -> None:
    state = _state(tmp_path)
    assert _clean(state, "--keep-models").returncode == 0
    assert [entry.name for entry in state.iterdir()] == ["models"]


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    for folder in (tmp_path, ROOT):
        answer = _clean(folder)
        assert answer.returncode == 2
        assert "is left alone" in answer.stderr
    assert (tmp_path / "precious").exists()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    state = _state(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (state / "link").symlink_to(elsewhere)
    (state / "postgres" / "data").symlink_to(elsewhere)
    remove_state(state, frozenset())
    assert not state.exists()
    assert (elsewhere / "precious").exists()


def test_the_refuge_of_the_database_goes_with_it(tmp_path: Path) -> None:
    state = _state(tmp_path)
    refuge = tmp_path / "voice-agent-postgres-0123456789ab"
    (refuge / "data").mkdir(parents=True)
    (state / "postgres" / "data").symlink_to(refuge / "data")
    remove_state(state, frozenset())
    assert not refuge.exists()
