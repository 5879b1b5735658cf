"""What would be uploaded: exactly the app, and small."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pathspec
import pytest

from tests.infra.bicep_source import ROOT

ROOTS = {"function_app.py", "host.json", "requirements.txt", "functions", "shared"}
NEVER = (".onnx", ".gguf", ".safetensors", ".bin", ".pt", ".wav", ".pyc", ".db", ".sqlite", ".pem", ".key")
MAXIMUM_BYTES = 2_000_000
PRUNED = {".git", ".venv", ".local", "node_modules"}


def _ignored() -> pathspec.PathSpec:
    return pathspec.PathSpec.from_lines("gitignore", (ROOT / ".funcignore").read_text().splitlines())


def _walk(folder: Path) -> list[Path]:
    """All files below `folder`; the folders that are large and surely ignored are not entered."""
    files: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.is_file():
            files.append(entry)
        elif entry.name not in PRUNED:
            files += _walk(entry)
    return files


def packed_files() -> list[str]:
    """The paths, relative to the root, that the deployable zip would hold."""
    ignored = _ignored()
    paths = [file.relative_to(ROOT).as_posix() for file in _walk(ROOT)]
    return [path for path in paths if not ignored.match_file(path)]


@pytest.fixture(scope="module")
def packed() -> list[str]:
    return packed_files()


@pytest.mark.parametrize("folder", sorted(PRUNED))
def test_folders_that_are_not_walked_are_ignored(folder: str) -> None:
    assert _ignored().match_file(f"{folder}/file")


def test_roots_are_the_app_and_nothing_else(packed: list[str]) -> None:
    roots = {path.split("/")[0] for path in packed}
    assert roots - ROOTS == set(), "not part of the app: name it in .funcignore"
    missing = ROOTS - roots
    if missing:
        pytest.fail(f"the app is not complete: {sorted(missing)}")


@pytest.mark.parametrize("folder", ["local_stack", "tests", "benchmarks", "infra", "clients", ".venv"])
def test_never_ships(folder: str, packed: list[str]) -> None:
    assert not [path for path in packed if folder in path.split("/")]


def test_no_model_no_voice_no_key(packed: list[str]) -> None:
    assert not [path for path in packed if path.endswith(NEVER)]
    assert not [path for path in packed if "local.settings" in path]


def test_built_page_ships() -> None:
    assert not _ignored().match_file("functions/pages/static/index.html")


def test_size_is_capped_and_printed(packed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in packed:
            archive.write(ROOT / path, path)
    size_bytes = buffer.getbuffer().nbytes
    with capsys.disabled():
        sys.stdout.write(f"\nthe deployable zip: {len(packed)} files, {size_bytes / 1024:.0f} KiB\n")
    assert size_bytes <= MAXIMUM_BYTES
