"""How results are shown and kept: a Markdown table on the terminal, a JSON file a benchmark."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table with its columns in line; the first is aligned left, all others right."""
    lines = [[_cell(value) for value in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = [
        "-" * (width if column == 0 else width - 1) + ("" if column == 0 else ":")
        for column, width in enumerate(widths)
    ]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(_aligned(line, widths))} |" for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        text.ljust(width) if column == 0 else text.rjust(width)
        for column, (text, width) in enumerate(zip(line, widths, strict=True))
    ]


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return (
        f"{value:.0f}"
        if isinstance(value, float) and abs(value) >= 10
        else f"{value:.1f}"
        if isinstance(value, float)
        else str(value)
    )


def keep(name: str, figures: Mapping[str, object]) -> Path:
    """Write the figures, with when and on what they were measured, to `results/<name>.json`."""
    document = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load": round(os.getloadavg()[0], 1),
        },
        **figures,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path
