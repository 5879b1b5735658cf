"""The mirror for voices: packages of the operating system's archive, unpacked without installing them."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections import defaultdict
from pathlib import Path

from local_stack.models.delivery import FetchError, Progress, copy_stream
from local_stack.models.lockfile import DebianMember, LockedFile

COMMAND_TIMEOUT_S = 180.0


class SystemPackages:
    """Gets packages with `apt-get download`, which needs no root, and takes single members out of them."""

    def __init__(self, archives_dir: Path) -> None:
        self._archives_dir = archives_dir
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._unpacked: dict[str, Path] = {}
        self._failed: dict[str, FetchError] = {}

    def deliver(self, file: LockedFile, target: Path, progress: Progress) -> None:
        """Write the member to `target`. Raises FetchError."""
        if file.debian is None:
            raise FetchError("no system package mirrors it")
        with self._locks[file.debian.package]:
            folder = self._folder(file.debian)
        source = folder / file.debian.member
        if not source.is_file():
            raise FetchError(f"{file.debian.package} holds no {file.debian.member}")
        progress.restart(0)
        with source.open("rb") as stream, target.open("wb") as out:
            copy_stream(stream, out, progress)

    def _folder(self, wanted: DebianMember) -> Path:
        if wanted.package in self._failed:
            raise self._failed[wanted.package]
        if wanted.package not in self._unpacked:
            try:
                self._unpacked[wanted.package] = self._unpack(wanted)
            except FetchError as error:
                self._failed[wanted.package] = error
                raise
        return self._unpacked[wanted.package]

    def _unpack(self, wanted: DebianMember) -> Path:
        for tool in ("apt-get", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise FetchError(f"{tool} is not there")
        folder = self._archives_dir / wanted.package
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        package = self._download(wanted, folder)
        unpacked = _run(["dpkg-deb", "--extract", str(package), str(folder)], folder)
        if unpacked.returncode != 0:
            raise FetchError(f"{wanted.package}: {_first_line(unpacked.stderr)}")
        return folder

    def _download(self, wanted: DebianMember, folder: Path) -> Path:
        # The hash of the member decides, so any version of the package will do when the locked one is gone.
        names = [f"{wanted.package}={wanted.version}", wanted.package]
        complaint = "apt-get gave nothing"
        for options in ([], self._private_lists()):
            if options and (update := _run(["apt-get", *options, "update"], folder)).returncode != 0:
                complaint = _first_line(update.stderr)
                continue
            for name in names:
                run = _run(["apt-get", *options, "download", name], folder)
                found = sorted(folder.glob(f"{wanted.package}_*.deb"))
                if run.returncode == 0 and found:
                    return found[0]
                complaint = _first_line(run.stderr) or complaint
        raise FetchError(f"{wanted.package}: {complaint}")

    def _private_lists(self) -> list[str]:
        """Options for package lists of our own, where the machine has none (and we are not root)."""
        lists, cache = self._archives_dir / "apt-lists", self._archives_dir / "apt-cache"
        for folder in (lists / "partial", cache / "archives" / "partial"):
            folder.mkdir(parents=True, exist_ok=True)
        return ["-o", f"Dir::State::lists={lists.resolve()}", "-o", f"Dir::Cache={cache.resolve()}"]


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"{command[0]} took longer than {error.timeout:.0f} s") from error


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.startswith("E:")), "")
