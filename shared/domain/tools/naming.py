"""What a model calls a tool: unique within the agent, and of the letters that every model's interface takes."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 64
_OTHER = re.compile(r"[^A-Za-z0-9_-]")
_TELLING = 6


def tool_name(group: str, name: str) -> str:
    """The tool `name` of the server or API document `group`.

    Names that differ never become one: where letters have to go, a few of the name's hash are added.
    Source: https://platform.openai.com/docs/api-reference/chat/create (tools.function.name)
    """
    whole = f"{group}_{name}"
    plain = _OTHER.sub("_", whole)
    if plain == whole and len(plain) <= _LONGEST:
        return plain
    telling = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_TELLING]
    return f"{plain[: _LONGEST - _TELLING - 1]}_{telling}"
