"""Joins what models stream of the tools that they want called: each comes in pieces, several of them side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.json_text import whole

_MOST_CALLS = 16
_MOST_CHARACTERS = 32_000


class ToolCallPieces:
    """`add` takes the pieces in the order in which they come. A model that goes on for ever is not followed."""

    def __init__(self) -> None:
        self._calls: dict[int, list[str]] = {}

    def add(self, index: int | None, key: str, name: str, arguments: str) -> None:
        """A piece: the key and the name come whole, with the first one. Pieces without an index belong to the call
        that came last, unless they have a key of their own. Raises: ValueError.
        """
        if index is None:
            index = len(self._calls) if key or not self._calls else max(self._calls)
        call = self._calls.setdefault(index, ["", "", ""])
        call[0] = call[0] or key
        call[1] = call[1] or name
        call[2] += arguments
        if len(self._calls) > _MOST_CALLS or len(call[2]) > _MOST_CHARACTERS:
            raise ValueError("more tool calls than anybody would ask for")

    def add_delta(self, delta: Mapping[str, Any]) -> None:
        """A piece as OpenAI's protocol has it. Raises: ValueError."""
        function = delta.get("function") or {}
        index = delta.get("index")
        self.add(index, delta.get("id") or "", function.get("name") or "", function.get("arguments") or "")

    def calls(self) -> list[tuple[str, str, str]]:
        """Key, name and arguments of those that have a name, in order; every key is there, and is there once."""
        found: list[tuple[str, str, str]] = []
        keys: set[str] = set()
        for number, (key, name, arguments) in enumerate(dict(sorted(self._calls.items())).values(), 1):
            if name:
                unique = key if key and key not in keys else f"call_{number}"
                keys.add(unique)
                found.append((whole(unique), whole(name), whole(arguments)))
        return found
