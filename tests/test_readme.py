"""What the README says is there, is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_stands_in_the_table() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    rows = " ".join(line for line in README.splitlines() if line.startswith("| `"))
    missing = [name for name in sample["Values"] if name.rpartition("__")[0] not in rows or name not in rows]
    missing = [name for name in missing if not name.startswith("AzureFunctionsJobHost__")]
    assert missing == []


def test_every_command_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert named <= targets
    assert {"run", "test", "call", "check", "bench"} <= named


def test_every_folder_of_the_house_is_there() -> None:
    house = README.partition("## The house")[2].partition("```")[2].partition("```")[0]
    folders = re.findall(r"(?:^|\s)([a-z_]+/)", house)
    assert folders
    known = [ROOT, *(ROOT / each for each in ("functions", "shared", "shared/use_cases", "infra", "clients"))]
    assert [name for name in folders if not any((parent / name).is_dir() for parent in known)] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
