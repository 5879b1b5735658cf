"""Remembers which files were already hashed, so that a second run costs a stat per file."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

from local_stack.models.lockfile import LockedFile

_BLOCK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


class Stamps:
    """Size, modification time and hash of each verified file, in one JSON file beside them."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._path = state_dir / "models" / ".verified.json"
        self._lock = threading.Lock()
        self._known: dict[str, list[int | str]] = self._read()

    def verified(self, file: LockedFile) -> bool:
        """Whether the file on disk is the wanted one; hashes it in full when the stamp does not tell."""
        path = self._state_dir / file.path
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        if status.st_size != file.size_bytes:
            return False
        if self._known.get(file.path) == [status.st_size, status.st_mtime_ns, file.sha256]:
            return True
        if sha256_of(path) != file.sha256:
            return False
        self.record(file)
        return True

    def record(self, file: LockedFile) -> None:
        """Note that the file as it stands now has the wanted hash."""
        status = (self._state_dir / file.path).stat()
        with self._lock:
            self._known[file.path] = [status.st_size, status.st_mtime_ns, file.sha256]
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(self._known, indent=1), encoding="utf-8")
            temporary.replace(self._path)

    def _read(self) -> dict[str, list[int | str]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}  # every file is then hashed anew, which is always right
        return content if isinstance(content, dict) else {}
