"""JSON from outside: what is read can be written again, to a store, to a provider, into an answer."""

from __future__ import annotations

import json
from typing import Any

_HALF = "\\ud"
"""How the escape of half a character begins; whole ones outside the basic plane begin so as well."""


def read_json(body: bytes) -> Any:
    """The document, in UTF-8. JSON can hold halves of characters, which nothing else can: they become `?`.

    Raises: ValueError, RecursionError.
    """
    text = body.decode("utf-8-sig")
    document = json.loads(text)
    if _HALF not in text.lower():
        return document
    return json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))


def whole(text: str) -> str:
    """The same text, with `?` for halves of characters."""
    return text if text.isascii() else text.encode(errors="replace").decode()
