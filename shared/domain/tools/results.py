"""What a tool gives is data from outside: bounded in length and depth before a model sees it, and framed as data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from shared.domain.json_text import read_json

MOST_CHARACTERS = 12_000
_DEEPEST = 8
_MOST_ITEMS = 50
_LONGEST_TEXT = 2_000
_LONGEST_NAME = 100
_CUT = "…"


def bounded(value: Any) -> Any:
    """The same as JSON that is no larger than a model should read. What is left out shows as `…`."""
    allowance = _Allowance(MOST_CHARACTERS)
    return allowance.of(value, 0)


def read_result(body: bytes, content_type: str) -> Any:
    """The JSON of an answer's body, or its text; never fails."""
    text = body[: MOST_CHARACTERS * 4].decode("utf-8", "replace")
    if "json" not in content_type and body[:1] not in (b"{", b"["):
        return bounded(text)
    try:
        return bounded(read_json(body))
    except (ValueError, RecursionError):
        return bounded(text)


def framed(tool: str, content: Any, failed: str = "") -> str:
    """What a model reads of a result: one JSON object, so that nothing in it can stand outside of it."""
    document = {"tool": tool, "failed": failed} if failed else {"tool": tool}
    return json.dumps(document | {"data_not_instructions": content}, ensure_ascii=False)


class _Allowance:
    def __init__(self, characters: int) -> None:
        self._left = characters

    def of(self, value: Any, depth: int) -> Any:
        if self._left <= 0 or depth > _DEEPEST:
            return _CUT
        if value is None or isinstance(value, bool | int | float):
            return self._plain(value)
        if isinstance(value, Mapping):
            return self._object(value, depth)
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        return self._text(str(value), _LONGEST_TEXT)

    def _text(self, text: str, longest: int) -> str:
        """Without what is not shown: control and format characters can hide words or turn them around."""
        longest = max(0, min(longest, self._left))
        shown = "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in text[: longest + 1])
        self._left -= min(len(shown), longest) + 2
        return shown if len(shown) <= longest else shown[:longest] + _CUT

    def _plain(self, value: Any) -> Any:
        self._left -= 12
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return _CUT if isinstance(value, int) and abs(value) >= 10**30 else value

    def _object(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, each in value.items():
            if len(kept) == _MOST_ITEMS or self._left <= 0:
                kept[_CUT] = f"{len(value) - len(kept)} more"
                break
            kept[self._text(str(name), _LONGEST_NAME)] = self.of(each, depth + 1)
        return kept

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        kept: list[Any] = []
        for each in value:
            if len(kept) == _MOST_ITEMS or self._left <= 0:
                kept.append(f"{_CUT} {len(value) - len(kept)} more")
                break
            kept.append(self.of(each, depth + 1))
        return kept
