"""Reads the Bicep files as text: enough structure to state our own rules about them, and no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BICEP = ROOT / "infra" / "bicep"
MAIN = BICEP / "main.bicep"
HUBS = BICEP / "hubs.bicep"

_COMMENT = re.compile(r"(?<!:)//.*$", re.MULTILINE)
_RESOURCE = re.compile(r"^[ ]*resource (\w+) '([^'@]+)(?:@([\w.-]+))?' (existing )?=", re.MULTILINE)
_PARAM = re.compile(r"^param (\w+) ([\w\[\]?]+)( = )?", re.MULTILINE)
_SETTING = re.compile(r"^\s+([A-Za-z]\w*): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Resource:
    """One `resource` declaration; `body` is its text from the first brace to the matching one."""

    file: Path
    symbol: str
    type: str
    version: str
    existing: bool
    body: str


def bicep_files() -> list[Path]:
    """Every Bicep file of the project, main files first."""
    return sorted(BICEP.glob("*.bicep")) + sorted((BICEP / "modules").glob("*.bicep"))


def code(file: Path) -> str:
    """The text of `file` without its comments."""
    return _COMMENT.sub("", file.read_text(encoding="utf-8"))


def block(text: str, start: int) -> str:
    """The text from the first `{` at or after `start` to the `}` that closes it."""
    first = text.index("{", start)
    depth = 0
    for position in range(first, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[first : position + 1]
    raise ValueError("a brace is not closed")


def resources(*, existing: bool = False) -> list[Resource]:
    """Every declared resource, nested ones included; with `existing`, also those only referred to."""
    found = []
    for file in bicep_files():
        text = code(file)
        for match in _RESOURCE.finditer(text):
            if match[4] and not existing:
                continue
            found.append(Resource(file, match[1], match[2], match[3] or "", bool(match[4]), block(text, match.end())))
    return found


def parameters(file: Path) -> dict[str, bool]:
    """The parameters of `file`: name, and whether one must be given (has no default)."""
    return {match[1]: match[3] is None for match in _PARAM.finditer(code(file))}


def optional_settings(name: str) -> dict[str, str]:
    """The settings in a variable of the main file, which the app gets only where they are asked for."""
    main = code(MAIN)
    start = main.index(f"var {name} =")
    text = main[start : main.index("\n\n", start)]
    return {found[1]: found[2].strip() for found in re.finditer(r"\b([A-Z][A-Z_]+): ('[^']*'|\w+)", text)}


def app_settings() -> dict[str, str]:
    """The settings that the function app gets on Azure: name and Bicep expression."""
    main = code(MAIN)
    settings = {m[1]: m[2].strip() for m in _SETTING.finditer(block(main, main.index("var appSettings")))}
    module = code(BICEP / "modules" / "app.bicep")
    added = block(module, module.index("union(settings,"))
    return settings | {m[1]: m[2].strip() for m in _SETTING.finditer(added)}
