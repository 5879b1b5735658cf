"""Every test is in a lane, no lane's failure is lost, and what it said is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import lanes

_HERE = Path(__file__).parent
_ALL = [lanes.UNITS, *(lane for phase in lanes.PHASES for lane in phase)]


def _is_in(file: Path, folders: tuple[str, ...]) -> bool:
    return any(file.is_relative_to(_HERE.parent / folder) for folder in folders)


def test_every_test_is_in_one_lane_or_shared_out_by_its_mark() -> None:
    for file in _HERE.rglob("test_*.py"):
        found = [lane for lane in _ALL if _is_in(file, lane.folders) and not _is_in(file, lane.but)]
        assert sorted(lane.marked for lane in found) in ([""], ["not real_models", "real_models"]), file


@pytest.mark.parametrize(("failing", "status"), [("", 0), ("two", 1), ("units", 1)])
def test_all_lanes_must_pass(
    failing: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    named = {}
    for name in ("one", "two", "three", "units"):
        file = tmp_path / f"test_{name}.py"
        file.write_text(f"def test_{name}():\n    assert {name != failing}\n")
        named[name] = lanes.Lane(name, (str(file),))
    monkeypatch.setattr(lanes, "PHASES", ((named["one"], named["two"]), (named["three"],)))
    monkeypatch.setattr(lanes, "UNITS", named["units"])
    assert lanes.main(["-p", "no:cacheprovider", f"--rootdir={tmp_path}"]) == status
    told = capfd.readouterr().out
    assert ["===== one =====" in told, "===== units =====" in told] == [True, True]
    assert told.count("1 passed") == (4 if not failing else 3)


def test_a_lane_is_a_run_of_pytest() -> None:
    lane = lanes.Lane("some", ("tests/a", "tests/b"), but=("tests/a/c",), marked="slow")
    assert lane.arguments() == ("tests/a", "tests/b", "--ignore=tests/a/c", "-m", "slow")
