"""The lock file that ships, and the files that it brings."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from local_stack.models.lockfile import LOCK_PATH, read_lock
from local_stack.models.voices import write_index


def test_every_file_has_a_hash_a_licence_and_somewhere_to_come_from() -> None:
    lock = read_lock()
    assert len({file.path for file in lock.files}) == len(lock.files)
    for file in lock.files:
        assert len(bytes.fromhex(file.sha256)) == 32
        assert file.licence
        assert file.size_bytes > 0
        assert file.upstream or file.parts or file.debian


def test_groups_narrow_the_lock() -> None:
    lock = read_lock()
    assert lock.groups() == ["language", "hearing", "voice", "embedding", "knowledge", "voices"]
    voices = lock.select(["voices"])
    assert {file.group for file in voices.files} == {"voices"}
    assert voices.voices
    assert not lock.select(["hearing"]).voices


def test_the_download_stays_small_enough_for_a_first_run() -> None:
    assert sum(file.size_bytes for file in read_lock().files) < 720_000_000


def test_no_registry_host_stands_in_the_lock() -> None:
    text = LOCK_PATH.read_text(encoding="utf-8")
    assert "pypi" not in text
    assert "debian.org" not in text


def test_index_of_voices(tmp_path: Path) -> None:
    lock = read_lock()
    entries = json.loads(write_index(lock.voices, tmp_path).read_text(encoding="utf-8"))
    assert 10 <= len(entries) <= 30
    assert {entry["rate"] for entry in entries} == {8000, 16000}
    assert any(entry["text"].endswith("?") for entry in entries)
    for entry in entries:
        assert set(entry) == {"id", "file", "text", "rate", "seconds", "licence", "source"}


@pytest.mark.slow
def test_voices_are_what_the_index_says(state_dir: Path) -> None:
    for entry in json.loads((state_dir / "voices" / "index.json").read_text(encoding="utf-8")):
        with wave.open(str(state_dir / "voices" / entry["file"])) as recording:
            assert recording.getframerate() == entry["rate"]
            assert recording.getnchannels() == 1
            assert recording.getnframes() / recording.getframerate() == pytest.approx(entry["seconds"], abs=0.001)
