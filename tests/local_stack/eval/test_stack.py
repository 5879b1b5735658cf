"""The evaluation's own stack begins with nothing of an earlier one, and leaves nothing but its logs."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local_stack.eval import stack
from local_stack.eval.scenario import LOCAL
from local_stack.eval.stack import own_stack
from local_stack.eval.trouble import CannotEvaluate
from local_stack.supervisor.addresses import Addresses


@pytest.fixture
def addresses(tmp_path: Path) -> Addresses:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.bin").write_text("weights")
    (tmp_path / "voices").mkdir()
    own = tmp_path / "eval" / "stack"
    (own / "postgres").mkdir(parents=True)
    (own / "logs").mkdir()
    (own / "logs" / "app.log").write_text("of the one before")
    (own / "secrets.json").write_text("{}")
    return Addresses(tmp_path, {})


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Parts that only wait until they are ended."""
    parts: list[tuple[str, ...]] = []

    async def launch(log: Path, environment: Mapping[str, str], *module: str) -> asyncio.subprocess.Process:
        parts.append(module)
        log.write_text(stack._UP)
        (Path(environment["LOCAL_STATE_DIR"]) / "calls").mkdir()
        return await asyncio.create_subprocess_exec("sleep", "60")

    async def ready(*_: Any) -> bool:
        return True

    monkeypatch.setattr(stack, "_launch", launch)
    monkeypatch.setattr(stack, "_is_ready", ready)
    return parts


async def test_nothing_is_known_of_the_one_before_and_only_logs_are_left(
    addresses: Addresses, launched: list[tuple[str, ...]]
) -> None:
    async with own_stack(addresses, LOCAL) as called:
        assert not (called.state_dir / "postgres").exists()
        assert (called.state_dir / "models" / "a.bin").read_text() == "weights"
        assert called.state_dir.joinpath("calls").is_dir()
    assert launched == [("local_stack", "up", "--no-call")]
    assert {entry.name for entry in called.state_dir.iterdir()} == {"logs", "up.log"}
    assert (addresses.state_dir / "models" / "a.bin").read_text() == "weights", "what a link leads to stays"


async def test_what_another_evaluation_uses_is_not_taken_away(
    addresses: Addresses, launched: list[tuple[str, ...]]
) -> None:
    own = addresses.state_dir / "eval" / "stack"
    with (own / "supervisor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CannotEvaluate, match="runs already"):
            async with own_stack(addresses, LOCAL):
                pass
    assert (own / "secrets.json").exists()
    assert launched == []
