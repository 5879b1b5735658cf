"""Set-up steps: due when their input changed, side by side where they can, clear when they fail."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from local_stack.setup import step as steps
from local_stack.setup.steps import build_steps, require_tools


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    return tmp_path


def _step(folder: Path, name: str, script: str, **more: object) -> steps.Step:
    made = steps.Step(
        name=name,
        commands=(("/bin/sh", "-c", script),),
        inputs=(folder / "input",),
        stamp=folder / name / ".stamp",
        folder=folder,
    )
    (folder / "input").touch()
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def _run(folder: Path, *todo: steps.Step) -> list[str]:
    ran: list[str] = []
    steps.run_steps(list(todo), folder / "logs", lambda step, _seconds: ran.append(step.name))
    return ran


def test_a_step_runs_once_until_its_input_changes(folder: Path) -> None:
    step = _step(folder, "one", "echo ran >> output")
    assert _run(folder, step) == ["one"]
    assert _run(folder, step) == []
    (folder / "input").write_text("changed")
    assert _run(folder, step) == ["one"]
    (folder / "one" / ".stamp").unlink()
    assert _run(folder, step) == ["one"]
    assert (folder / "output").read_text() == "ran\n" * 3


def test_files_of_a_folder_count_with_their_names(folder: Path) -> None:
    sources = folder / "sources"
    sources.mkdir()
    (sources / "a").write_text("same")
    step = _step(folder, "one", "true", inputs=(sources,))
    _run(folder, step)
    assert not steps.is_due(step)
    (sources / "a").rename(sources / "b")
    assert steps.is_due(step)


def test_independent_steps_run_at_once_and_others_in_their_order(folder: Path) -> None:
    # Each of the first two waits for the other's sign, which works only side by side.
    meet = "touch {0}; for i in $(seq 100); do test -e {1} && exit 0; sleep 0.05; done; exit 1"
    ran = _run(
        folder,
        _step(folder, "last", "test -e a -a -e b", after=("left", "right")),
        _step(folder, "left", meet.format("a", "b")),
        _step(folder, "right", meet.format("b", "a")),
    )
    assert sorted(ran[:2]) == ["left", "right"]
    assert ran[2] == "last"


def test_a_failure_shows_the_log_and_stops_what_needs_it(folder: Path) -> None:
    broken = _step(folder, "broken", "echo no such package; exit 4")
    with pytest.raises(steps.SetupError) as failure:
        _run(folder, broken, _step(folder, "next", "touch done", after=("broken",)))
    text = str(failure.value)
    assert text.startswith("broken: sh -c ")
    assert "status 4" in text
    assert "\n    no such package" in text
    assert "setup-broken.log" in text
    assert not (folder / "done").exists()
    assert steps.is_due(broken)


def test_a_missing_tool_is_one_line_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(steps.SetupError, match=r"node is missing: install Node\.js 20 or newer"):
        require_tools()


def test_the_real_steps_need_only_steps_that_exist(tmp_path: Path) -> None:
    real = build_steps(tmp_path)
    names = [step.name for step in real]
    assert len(names) == len(set(names))
    assert {need for step in real for need in step.after} <= set(names)
    assert {"venv", "python-packages", "azurite", "models"} <= set(names)
