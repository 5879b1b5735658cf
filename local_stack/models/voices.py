"""The index of the recorded human voices: what is said in which file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PUBLIC_KEYS = ("id", "file", "text", "rate", "seconds", "licence", "source")


def write_index(voices: tuple[dict[str, Any], ...], voices_dir: Path) -> Path:
    """Write `index.json`: a list of {id, file, text, rate (Hz), seconds, licence, source}."""
    entries = [{key: voice[key] for key in _PUBLIC_KEYS} for voice in voices]
    content = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
    path = voices_dir / "index.json"
    voices_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        temporary = path.with_suffix(".tmp")
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(path)
    return path
