"""The lock file in types: which bytes are wanted, and where they can be had."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK_PATH = Path(__file__).with_name("lock.json")


class LockError(Exception):
    """The lock file cannot be used; the message is one line for the reader."""


@dataclass(frozen=True, slots=True)
class PackagePart:
    """One member of one archive of a package index; a file is its parts, joined in order."""

    project: str
    version: str
    archive: str
    archive_sha256: str
    member: str


@dataclass(frozen=True, slots=True)
class DebianMember:
    """One member of a package of the operating system's own archive."""

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """The publisher's own address; with `member`, the address is a tar archive that holds the file."""

    url: str
    member: str | None = None


@dataclass(frozen=True, slots=True)
class LockedFile:
    """A wanted file: `path` is relative to the state folder."""

    path: str
    group: str
    sha256: str
    size_bytes: int
    licence: str
    upstream: Upstream | None
    parts: tuple[PackagePart, ...] = ()
    debian: DebianMember | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """Every wanted file, and the entries of the voices' index (see `voices.py`)."""

    files: tuple[LockedFile, ...]
    voices: tuple[dict[str, Any], ...]

    def groups(self) -> list[str]:
        """The names that `--only` accepts, in the order of the file."""
        return list(dict.fromkeys(file.group for file in self.files))

    def select(self, groups: list[str]) -> Lock:
        """The lock narrowed to `groups`; everything when the list is empty."""
        unknown = sorted(set(groups) - set(self.groups()))
        if unknown:
            raise LockError(f"unknown group {unknown[0]!r}; known: {', '.join(self.groups())}")
        chosen = tuple(file for file in self.files if not groups or file.group in groups)
        return Lock(chosen, self.voices if not groups or "voices" in groups else ())


def read_lock(path: Path = LOCK_PATH) -> Lock:
    """Read the lock file. Raises LockError when it is missing or malformed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        models = [_model(entry) for entry in content["files"]]
        voices = [_voice(entry) for entry in content["voices"]]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise LockError(f"{path}: not a usable lock file ({type(error).__name__}: {error})") from error
    return Lock(tuple(models + voices), tuple(content["voices"]))


def _model(entry: dict[str, Any]) -> LockedFile:
    upstream = Upstream(entry["upstream"]) if entry["upstream"] else None
    parts = tuple(PackagePart(**part) for part in entry["mirror"]["parts"])
    return _locked(entry, path=f"models/{entry['name']}", group=entry["group"], upstream=upstream, parts=parts)


def _voice(entry: dict[str, Any]) -> LockedFile:
    upstream = Upstream(**entry["upstream"]) if entry["upstream"] else None
    debian = DebianMember(**entry["mirror"])
    return _locked(entry, path=f"voices/{entry['file']}", group="voices", upstream=upstream, debian=debian)


def _locked(entry: dict[str, Any], *, path: str, **more: Any) -> LockedFile:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(f"{path!r} leaves the state folder")
    known = {key: entry[key] for key in ("sha256", "size_bytes", "licence")}
    return LockedFile(path=path, **known, **more)
