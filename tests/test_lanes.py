"""No lane's failure is lost, and what it said is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import lanes


@pytest.mark.parametrize(("failing", "status"), [("", 0), ("one", 1), ("two", 1)])
def test_all_lanes_must_pass(
    failing: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    named = {}
    for name in ("one", "two"):
        file = tmp_path / f"test_{name}.py"
        file.write_text(f"def test_{name}():\n    assert {name != failing}\n")
        named[name] = ((), (str(file), "-p", "no:cacheprovider", f"--rootdir={tmp_path}"))
    monkeypatch.setattr(lanes, "LANES", named)
    assert lanes.main([]) == status
    told = capfd.readouterr().out
    assert "===== one =====" in told
    assert told.count("1 passed") == (2 if not failing else 1)
