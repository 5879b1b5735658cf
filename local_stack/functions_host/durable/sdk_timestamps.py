"""Spares the SDK the general date parser for the host's own timestamps: each replay parses all of them.

The general parser takes about 50 us a timestamp and would be most of the time of an episode.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

_OWN_LENGTH = len("2024-01-01T00:00:00.000000Z")


def speed_up_timestamps() -> None:
    """Put a reader of the host's format in front of the SDK's parser; other texts go on to that one."""
    module: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    if not getattr(module.dt_parse, "reads_own_format", False):
        module.dt_parse = _reader(module.dt_parse)


def _reader(general: Callable[[str], datetime]) -> Callable[[str], datetime]:
    # The very object that the general parser uses, so that nothing can tell the difference.
    utc = general("2024-01-01T00:00:00.000000Z").tzinfo

    def parse(text: str) -> datetime:
        if len(text) == _OWN_LENGTH and text[-1] == "Z":
            return datetime.fromisoformat(text[:-1]).replace(tzinfo=utc)
        return general(text)

    parse.reads_own_format = True  # type: ignore[attr-defined]
    return parse
