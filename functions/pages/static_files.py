"""The built files of the talk page: which there are, what they are, and how long a browser may keep them."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_HASHED_NAME = re.compile(r"-[0-9a-f]{12}\.[a-z]+$")
_FOREVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served; `gzipped` is empty where compression gains nothing."""

    content: bytes
    gzipped: bytes
    content_type: str
    etag: str
    cache_control: str


@lru_cache(maxsize=64)
def _load(path: Path, _modified_ns: int, _size_bytes: int) -> StaticFile:
    content = path.read_bytes()
    gzipped = gzip.compress(content, mtime=0)
    return StaticFile(
        content=content,
        gzipped=gzipped if len(gzipped) < len(content) else b"",
        content_type=_CONTENT_TYPES[path.suffix],
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        cache_control=_FOREVER if _HASHED_NAME.search(path.name) else _ASK_EACH_TIME,
    )


def find(folder: Path, name: str) -> StaticFile | None:
    """The file called `name` in `folder`, or None.

    `name` is looked up among the folder's own entries and never joined to a path, so none leads out.
    """
    if not folder.is_dir():
        return None
    for path in folder.iterdir():
        if path.name == name and path.suffix in _CONTENT_TYPES and path.is_file() and not path.is_symlink():
            facts = path.stat()
            return _load(path, facts.st_mtime_ns, facts.st_size)
    return None
